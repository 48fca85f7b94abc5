"""The rescuer: orphans, which are unfinished runs whose job has ended."""

import asyncio

import pytest
from procrastinate.jobs import Job

from hrims.db import AsyncPool, Connection
from hrims.jobs.attempts import store
from hrims.jobs.attempts.store import Attempt
from hrims.jobs.job_manager import FencedJobManager
from hrims.jobs.queue import queue_run
from hrims.jobs.rescuer import store as rescuer_store
from hrims.jobs.rescuer import task as rescuer
from tests.database.runs import wait_until_blocked
from tests.database.workers import run_state, take_job


@pytest.mark.parametrize("state", ["waiting", "active", "delayed"])
@pytest.mark.parametrize("status", ["failed", "succeeded", "aborted"])
async def test_a_run_whose_job_has_ended_gets_a_new_job(
    conn: Connection,
    pool: AsyncPool,
    manager: FencedJobManager,
    running: tuple[Job, Attempt],
    state: str,
    status: str,
) -> None:
    job, attempt = running
    conn.execute("UPDATE runs SET state = %s", (state,))
    conn.execute("UPDATE procrastinate_jobs SET status = %s", (status,))
    assert await rescuer.rescue_orphans(queue_run, pool) == 1
    assert await rescuer.rescue_orphans(queue_run, pool) == 0
    assert run_state(conn) == ("waiting", 1, None)
    new_job = await take_job(manager, conn)
    async with pool.connection() as worker_conn:
        assert await store.begin(worker_conn, attempt.run_id, job.id or 0, "host", 2) is None
        assert await store.begin(worker_conn, attempt.run_id, new_job.id or 0, "host", 2)


async def test_two_rescuers_give_an_orphan_one_job(
    conn: Connection, pool: AsyncPool, running: tuple[Job, Attempt]
) -> None:
    """The second one waits for the first, and finds no orphan then."""
    conn.execute("UPDATE procrastinate_jobs SET status = 'failed'")
    run_id = running[1].run_id
    async with pool.connection() as first:
        assert await rescuer_store.reset_orphan(first, run_id, 3, "") == "waiting"
        await queue_run(first, run_id)
        second = asyncio.create_task(rescuer.rescue_orphans(queue_run, pool))
        await wait_until_blocked(conn)
    assert await second == 0
    assert conn.execute("SELECT status::text FROM procrastinate_jobs ORDER BY id").fetchall() == [
        ("failed",),
        ("todo",),
    ]


async def test_a_run_that_loses_its_job_too_often_fails(
    conn: Connection, pool: AsyncPool, running: tuple[Job, Attempt]
) -> None:
    for _ in range(rescuer.MAX_RESCUES + 1):
        conn.execute("UPDATE procrastinate_jobs SET status = 'failed'")
        assert await rescuer.rescue_orphans(queue_run, pool) == 1
    assert run_state(conn) == ("failed", 3, "worker_died")
    assert await rescuer.rescue_orphans(queue_run, pool) == 0


@pytest.mark.parametrize("state", ["waiting", "delayed", "active"])
async def test_a_run_with_a_job_is_no_orphan(
    conn: Connection, pool: AsyncPool, running: tuple[Job, Attempt], state: str
) -> None:
    conn.execute("UPDATE runs SET state = %s", (state,))
    assert await rescuer.rescue_orphans(queue_run, pool) == 0
