"""Fencing: a worker that returns after a rescue changes neither the job nor the run of its successor."""

from procrastinate.jobs import Job, Status

from hrims.db import AsyncPool, Connection
from hrims.jobs import control
from hrims.jobs.attempts import store
from hrims.jobs.attempts.store import Attempt
from hrims.jobs.job_manager import FencedJobManager, WorkerJobManager
from hrims.jobs.rescuer import task as rescuer
from tests.database.runs import begin, register_worker
from tests.database.workers import SILENT_SECONDS, expire_heartbeats, job_status, run_state, take_job
from tests.support.users import ASHA


async def test_hand_back_is_idempotent(
    conn: Connection, pool: AsyncPool, running: tuple[Job, Attempt]
) -> None:
    """The response to the first COMMIT may get lost."""
    _, attempt = running
    for _ in range(2):
        async with pool.connection() as worker_conn:
            assert await store.hand_back(worker_conn, attempt)
    assert run_state(conn) == ("waiting", 0, None)


async def test_a_worker_that_returns_neither_finishes_nor_retries_the_job_of_its_successor(
    conn: Connection, pool: AsyncPool, manager: FencedJobManager, running: tuple[Job, Attempt]
) -> None:
    zombie, attempt = running
    expire_heartbeats(conn)
    await rescuer.rescue_stalled(pool, SILENT_SECONDS)
    successor = await take_job(manager, conn)
    await begin(conn, pool, attempt.run_id)
    await manager.finish_job(zombie, Status.FAILED, delete_job=False)
    await manager.retry_job(zombie)
    assert job_status(conn) == ("doing",)
    async with pool.connection() as worker_conn:
        assert not await store.fail(worker_conn, attempt, "too late", "late")
        assert not await store.hand_back(worker_conn, attempt)
    assert run_state(conn)[0] == "active"
    await manager.finish_job(successor, Status.SUCCEEDED, delete_job=False)
    assert job_status(conn) == ("succeeded",)


async def test_a_replaced_job_starts_no_attempt(
    conn: Connection, pool: AsyncPool, running: tuple[Job, Attempt]
) -> None:
    control.cancel(conn, ASHA, running[1].run_id)
    control.retry(conn, ASHA, running[1].run_id)
    assert running[0].id is not None
    async with pool.connection() as worker_conn:
        assert await store.begin(worker_conn, running[1].run_id, running[0].id, "host", 1) is None


async def test_a_starting_worker_deletes_no_other(
    conn: Connection, manager: FencedJobManager, running: tuple[Job, Attempt]
) -> None:
    """After an outage no worker has a recent heartbeat. A job of a deleted worker has no worker."""
    conn.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '2 hours'")
    starting = WorkerJobManager(manager.connector, register_worker(conn))
    assert await starting.prune_stalled_workers(30) == []
    assert conn.execute("SELECT worker_id FROM procrastinate_jobs").fetchone() == (running[0].worker_id,)
