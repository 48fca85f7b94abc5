"""A run whose worker died goes on; a worker that comes back ends nothing that is no longer its own."""

import asyncio
from typing import Any

import procrastinate
import pytest
from procrastinate.jobs import Job, Status

from hrims.config import Settings
from hrims.db import AsyncPool, Connection
from hrims.jobs import control
from hrims.jobs.attempts import store
from hrims.jobs.attempts.retry_policy import DEFAULT_POLICY
from hrims.jobs.attempts.store import Attempt
from hrims.jobs.job_manager import FencedJobManager, WorkerJobManager
from hrims.jobs.queue import queue_run
from hrims.jobs.rescuer import store as orphans
from hrims.jobs.rescuer import task as rescuer
from hrims.jobs.workers import pools
from tests.database.runs import ASHA, begin, enqueue_run_of, institution, register_worker, until_blocked

SILENT = 20.0


@pytest.fixture
async def manager(dsn: str) -> Any:
    """Provide the job manager of a worker, on this test's database."""
    connector = procrastinate.PsycopgConnector(conninfo=dsn, min_size=1, max_size=2)
    await connector.open_async()
    yield FencedJobManager(connector)
    await connector.close_async()


async def fetch(manager: FencedJobManager, conn: Connection) -> Job:
    """Register a worker and return the next job that it takes."""
    job = await manager.fetch_job(queues=None, worker_id=register_worker(conn))
    assert job
    return job


@pytest.fixture
async def held(conn: Connection, pool: AsyncPool, manager: FencedJobManager) -> tuple[Job, Attempt]:
    """Return a job that a worker executes, and its attempt."""
    run_id = enqueue_run_of(conn, institution(conn))
    job = await fetch(manager, conn)
    return job, await begin(conn, pool, run_id)


def die(conn: Connection) -> None:
    """Make the heartbeat of every worker expire."""
    conn.execute("UPDATE workers SET last_beat = now() - interval '1 hour'")


def run(conn: Connection) -> Any:
    return conn.execute("SELECT state, rescues, trouble_code FROM runs").fetchone()


def job_status(conn: Connection) -> Any:
    return conn.execute("SELECT status::text FROM procrastinate_jobs").fetchone()


async def test_a_run_whose_worker_died_waits_for_another(
    conn: Connection, pool: AsyncPool, held: tuple[Job, Attempt]
) -> None:
    die(conn)
    assert await rescuer.rescue_stalled(pool, SILENT) == 1
    assert run(conn) == ("waiting", 1, None)
    assert job_status(conn) == ("todo",)
    assert conn.execute("SELECT ended_as FROM run_attempts").fetchall() == [("worker_died",)]


@pytest.mark.parametrize("state", ["waiting", "active", "delayed"])
@pytest.mark.parametrize("status", ["failed", "succeeded", "aborted"])
async def test_a_run_whose_job_has_ended_without_it_gets_another(
    conn: Connection,
    pool: AsyncPool,
    manager: FencedJobManager,
    held: tuple[Job, Attempt],
    state: str,
    status: str,
) -> None:
    job, attempt = held
    conn.execute("UPDATE runs SET state = %s", (state,))
    conn.execute("UPDATE procrastinate_jobs SET status = %s", (status,))
    assert await rescuer.rescue_orphans(queue_run, pool) == 1
    assert await rescuer.rescue_orphans(queue_run, pool) == 0
    assert run(conn) == ("waiting", 1, None)
    again = await fetch(manager, conn)
    async with pool.connection() as other:
        assert await store.begin(other, attempt.run_id, job.id or 0, "host", 2) is None
        assert await store.begin(other, attempt.run_id, again.id or 0, "host", 2)


async def test_two_who_find_the_same_run_without_a_job_give_it_one(
    conn: Connection, pool: AsyncPool, held: tuple[Job, Attempt]
) -> None:
    """The second waits for the first, and looks again."""
    conn.execute("UPDATE procrastinate_jobs SET status = 'failed'")
    run_id = held[1].run_id
    async with pool.connection() as first:
        assert await orphans.reset_orphan(first, run_id, 3, "") == "waiting"
        await queue_run(first, run_id)
        second = asyncio.create_task(rescuer.rescue_orphans(queue_run, pool))
        await until_blocked(conn)
    assert await second == 0
    assert conn.execute("SELECT status::text FROM procrastinate_jobs ORDER BY id").fetchall() == [
        ("failed",),
        ("todo",),
    ]


async def test_a_run_that_loses_its_job_again_and_again_is_given_up(
    conn: Connection, pool: AsyncPool, held: tuple[Job, Attempt]
) -> None:
    for _ in range(rescuer.MAX_RESCUES + 1):
        conn.execute("UPDATE procrastinate_jobs SET status = 'failed'")
        assert await rescuer.rescue_orphans(queue_run, pool) == 1
    assert run(conn) == ("failed", 3, "worker_died")
    assert await rescuer.rescue_orphans(queue_run, pool) == 0


@pytest.mark.parametrize("state", ["waiting", "delayed", "active"])
async def test_a_run_that_has_its_job_keeps_it(
    conn: Connection, pool: AsyncPool, held: tuple[Job, Attempt], state: str
) -> None:
    conn.execute("UPDATE runs SET state = %s", (state,))
    assert await rescuer.rescue_orphans(queue_run, pool) == 0


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("UPDATE procrastinate_jobs SET status = 'failed'", ("waiting", 1, None)),
        ("UPDATE runs SET state = 'waiting', deadline_at = now()", ("failed", 0, "deadline")),
        ("UPDATE workers SET last_beat = now() - interval '1 hour'", ("waiting", 1, None)),
    ],
    ids=["orphan", "overdue", "stalled"],
)
async def test_the_background_task_finds_every_kind_of_run(
    conn: Connection,
    pool: AsyncPool,
    held: tuple[Job, Attempt],
    monkeypatch: pytest.MonkeyPatch,
    event: str,
    expected: tuple[str, int, str | None],
) -> None:
    monkeypatch.setattr(rescuer, "_can_judge", lambda _settings, _now: True)
    conn.execute(event.encode())
    rescuing = asyncio.create_task(rescuer.run_rescuer(queue_run, pool, Settings()))
    async with asyncio.timeout(10):
        while run(conn) != expected:  # noqa: ASYNC110 - no event reports a rescue
            await asyncio.sleep(0.01)
    rescuing.cancel()


async def test_what_was_written_once_may_be_written_again(
    conn: Connection, pool: AsyncPool, held: tuple[Job, Attempt]
) -> None:
    """The answer to the first commit got lost."""
    _, attempt = held
    for _ in range(2):
        async with pool.connection() as other:
            assert await store.hand_back(other, attempt)
    assert run(conn) == ("waiting", 0, None)


async def test_a_run_whose_worker_lives_is_left_alone(
    conn: Connection, pool: AsyncPool, held: tuple[Job, Attempt]
) -> None:
    assert await rescuer.rescue_stalled(pool, SILENT) == 0
    assert run(conn) == ("active", 0, None)


async def test_a_run_whose_worker_is_gone_from_the_list_is_rescued(
    conn: Connection, pool: AsyncPool, held: tuple[Job, Attempt]
) -> None:
    conn.execute("DELETE FROM workers")
    assert await rescuer.rescue_stalled(pool, SILENT) == 1


async def test_after_three_rescues_the_run_has_failed_and_says_how_often_its_worker_died(
    conn: Connection, pool: AsyncPool, manager: FencedJobManager, held: tuple[Job, Attempt]
) -> None:
    for _ in range(rescuer.MAX_RESCUES):
        die(conn)
        await rescuer.rescue_stalled(pool, SILENT)
        await fetch(manager, conn)
        await begin(conn, pool, held[1].run_id)
    die(conn)
    await rescuer.rescue_stalled(pool, SILENT)
    assert run(conn) == ("failed", rescuer.MAX_RESCUES, "worker_died")
    assert job_status(conn) == ("failed",)
    ((deaths, message),) = conn.execute(
        "SELECT (SELECT count(*) FROM run_attempts WHERE ended_as = 'worker_died'), trouble FROM runs"
    ).fetchall()
    assert message.startswith(f"Its worker died {deaths} times. What was saved stays.")


async def test_a_stalled_job_of_a_run_that_has_ended_is_only_put_away(
    conn: Connection, pool: AsyncPool, held: tuple[Job, Attempt]
) -> None:
    control.cancel(conn, ASHA, held[1].run_id)
    die(conn)
    await rescuer.rescue_stalled(pool, SILENT)
    assert run(conn) == ("cancelled", 0, None)
    assert job_status(conn) == ("failed",)


async def test_a_worker_that_comes_back_neither_ends_nor_retries_its_successors_job(
    conn: Connection, pool: AsyncPool, manager: FencedJobManager, held: tuple[Job, Attempt]
) -> None:
    zombie, attempt = held
    die(conn)
    await rescuer.rescue_stalled(pool, SILENT)
    successor = await fetch(manager, conn)
    await begin(conn, pool, attempt.run_id)
    await manager.finish_job(zombie, Status.FAILED, delete_job=False)
    await manager.retry_job(zombie)
    assert job_status(conn) == ("doing",)
    async with pool.connection() as other:
        assert not await store.fail(other, attempt, "too late", "late")
        assert not await store.hand_back(other, attempt)
    assert run(conn)[0] == "active"
    await manager.finish_job(successor, Status.SUCCEEDED, delete_job=False)
    assert job_status(conn) == ("succeeded",)


async def test_a_job_that_was_replaced_has_no_say_any_more(
    conn: Connection, pool: AsyncPool, held: tuple[Job, Attempt]
) -> None:
    control.cancel(conn, ASHA, held[1].run_id)
    control.retry(conn, ASHA, held[1].run_id)
    assert held[0].id is not None
    async with pool.connection() as other:
        assert await store.begin(other, held[1].run_id, held[0].id, "host", 1) is None


@pytest.mark.parametrize(
    ("beat", "ended", "lives"),
    [("1 second", "NULL", True), ("1 hour", "NULL", False), ("1 second", "now()", False)],
)
async def test_rescuer_and_views_judge_by_the_same_heartbeat(
    conn: Connection, pool: AsyncPool, held: tuple[Job, Attempt], beat: str, ended: str, lives: bool
) -> None:
    """Whatever Procrastinate's own list says."""
    for own in ("1 second", "1 hour"):
        conn.execute(f"UPDATE procrastinate_workers SET last_heartbeat = now() - interval '{own}'".encode())
        conn.execute(f"UPDATE workers SET last_beat = now() - interval '{beat}', ended_at = {ended}".encode())
        assert conn.execute("SELECT alive FROM workers_v").fetchone() == (lives,)
        shown = conn.execute("SELECT worker_last_beat = w.last_beat FROM jobs_v, workers w").fetchone()
        assert shown == (True,)
        async with pool.connection() as other:
            assert bool(await orphans.find_stalled(other)) is not lives


async def test_a_worker_that_starts_deletes_no_other(
    conn: Connection, manager: FencedJobManager, held: tuple[Job, Attempt]
) -> None:
    """After an outage all have been silent, and a job of a deleted worker has none."""
    conn.execute("UPDATE procrastinate_workers SET last_heartbeat = now() - interval '2 hours'")
    starting = WorkerJobManager(manager.connector, register_worker(conn))
    assert await starting.prune_stalled_workers(30) == []
    assert conn.execute("SELECT worker_id FROM procrastinate_jobs").fetchone() == (held[0].worker_id,)


async def test_a_run_under_way_goes_on_in_the_pool_of_its_institution(
    conn: Connection, pool: AsyncPool, manager: FencedJobManager, held: tuple[Job, Attempt]
) -> None:
    """Whether its worker hands it back or dies."""
    queue = "SELECT j.queue_name, r.pool FROM procrastinate_jobs j JOIN runs r ON r.queue_job_id = j.id"
    assert held[1].institution_id
    pools.set_run_policy(conn, ASHA, held[1].institution_id, "health", DEFAULT_POLICY)
    async with pool.connection() as other:
        assert await store.hand_back(other, held[1])
    await manager.retry_job(held[0])
    assert conn.execute(queue).fetchone() == ("sync.health", "health")
    job = await fetch(manager, conn)
    await begin(conn, pool, held[1].run_id)
    pools.set_run_policy(conn, ASHA, held[1].institution_id, None, DEFAULT_POLICY)
    assert job.id == held[0].id
    die(conn)
    assert await rescuer.rescue_stalled(pool, SILENT) == 1
    assert conn.execute(queue).fetchone() == ("sync", None)
