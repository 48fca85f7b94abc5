"""The rescuer: stalled jobs, whose worker is dead."""

import asyncio

import pytest
from procrastinate.jobs import Job

from hrims.config import Settings
from hrims.db import AsyncPool, Connection
from hrims.jobs import control
from hrims.jobs.attempts import store
from hrims.jobs.attempts.retry_policy import DEFAULT_POLICY
from hrims.jobs.attempts.store import Attempt
from hrims.jobs.job_manager import FencedJobManager
from hrims.jobs.queue import queue_run
from hrims.jobs.rescuer import store as rescuer_store
from hrims.jobs.rescuer import task as rescuer
from hrims.jobs.workers import pools
from tests.database.runs import begin
from tests.database.workers import SILENT_SECONDS, expire_heartbeats, job_status, run_state, take_job
from tests.support.users import ASHA


async def test_the_run_of_a_dead_worker_waits_for_another(
    conn: Connection, pool: AsyncPool, running: tuple[Job, Attempt]
) -> None:
    expire_heartbeats(conn)
    assert await rescuer.rescue_stalled(pool, SILENT_SECONDS) == 1
    assert run_state(conn) == ("waiting", 1, None)
    assert job_status(conn) == ("todo",)
    assert conn.execute("SELECT ended_as FROM run_attempts").fetchall() == [("worker_died",)]


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
    running: tuple[Job, Attempt],
    monkeypatch: pytest.MonkeyPatch,
    event: str,
    expected: tuple[str, int, str | None],
) -> None:
    monkeypatch.setattr(rescuer, "_can_judge", lambda _settings, _now: True)
    conn.execute(event.encode())
    rescuing = asyncio.create_task(rescuer.run_rescuer(queue_run, pool, Settings()))
    async with asyncio.timeout(10):
        while run_state(conn) != expected:  # noqa: ASYNC110 - no event reports a rescue
            await asyncio.sleep(0.01)
    rescuing.cancel()


async def test_the_run_of_a_live_worker_is_not_rescued(
    conn: Connection, pool: AsyncPool, running: tuple[Job, Attempt]
) -> None:
    assert await rescuer.rescue_stalled(pool, SILENT_SECONDS) == 0
    assert run_state(conn) == ("active", 0, None)


async def test_the_run_of_a_deleted_worker_is_rescued(
    conn: Connection, pool: AsyncPool, running: tuple[Job, Attempt]
) -> None:
    conn.execute("DELETE FROM workers")
    assert await rescuer.rescue_stalled(pool, SILENT_SECONDS) == 1


async def test_after_three_rescues_the_run_fails_with_the_number_of_deaths(
    conn: Connection, pool: AsyncPool, manager: FencedJobManager, running: tuple[Job, Attempt]
) -> None:
    for _ in range(rescuer.MAX_RESCUES):
        expire_heartbeats(conn)
        await rescuer.rescue_stalled(pool, SILENT_SECONDS)
        await take_job(manager, conn)
        await begin(conn, pool, running[1].run_id)
    expire_heartbeats(conn)
    await rescuer.rescue_stalled(pool, SILENT_SECONDS)
    assert run_state(conn) == ("failed", rescuer.MAX_RESCUES, "worker_died")
    assert job_status(conn) == ("failed",)
    ((deaths, message),) = conn.execute(
        "SELECT (SELECT count(*) FROM run_attempts WHERE ended_as = 'worker_died'), trouble FROM runs"
    ).fetchall()
    assert message.startswith(f"Its worker died {deaths} times. What was saved stays.")


async def test_a_stalled_job_of_an_ended_run_fails_without_a_rescue(
    conn: Connection, pool: AsyncPool, running: tuple[Job, Attempt]
) -> None:
    control.cancel(conn, ASHA, running[1].run_id)
    expire_heartbeats(conn)
    await rescuer.rescue_stalled(pool, SILENT_SECONDS)
    assert run_state(conn) == ("cancelled", 0, None)
    assert job_status(conn) == ("failed",)


@pytest.mark.parametrize(
    ("beat", "ended", "lives"),
    [("1 second", "NULL", True), ("1 hour", "NULL", False), ("1 second", "now()", False)],
)
async def test_rescuer_and_views_use_the_same_heartbeat(
    conn: Connection, pool: AsyncPool, running: tuple[Job, Attempt], beat: str, ended: str, lives: bool
) -> None:
    """They ignore Procrastinate's heartbeat."""
    for own in ("1 second", "1 hour"):
        conn.execute(f"UPDATE procrastinate_workers SET last_heartbeat = now() - interval '{own}'".encode())
        conn.execute(f"UPDATE workers SET last_beat = now() - interval '{beat}', ended_at = {ended}".encode())
        assert conn.execute("SELECT alive FROM workers_v").fetchone() == (lives,)
        shown = conn.execute("SELECT worker_last_beat = w.last_beat FROM jobs_v, workers w").fetchone()
        assert shown == (True,)
        async with pool.connection() as worker_conn:
            assert bool(await rescuer_store.find_stalled(worker_conn)) is not lives


async def test_a_requeued_run_moves_to_the_pool_of_its_institution(
    conn: Connection, pool: AsyncPool, manager: FencedJobManager, running: tuple[Job, Attempt]
) -> None:
    """After a hand-back as well as after the death of its worker."""
    queue = "SELECT j.queue_name, r.pool FROM procrastinate_jobs j JOIN runs r ON r.queue_job_id = j.id"
    assert running[1].institution_id
    pools.set_run_policy(conn, ASHA, running[1].institution_id, "health", DEFAULT_POLICY)
    async with pool.connection() as worker_conn:
        assert await store.hand_back(worker_conn, running[1])
    await manager.retry_job(running[0])
    assert conn.execute(queue).fetchone() == ("sync.health", "health")
    job = await take_job(manager, conn)
    await begin(conn, pool, running[1].run_id)
    pools.set_run_policy(conn, ASHA, running[1].institution_id, None, DEFAULT_POLICY)
    assert job.id == running[0].id
    expire_heartbeats(conn)
    assert await rescuer.rescue_stalled(pool, SILENT_SECONDS) == 1
    assert conn.execute(queue).fetchone() == ("sync", None)
