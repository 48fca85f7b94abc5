"""Whose silence proves a death: a worker judges others only while its own heartbeat was written."""

import asyncio
from typing import Any

import pytest

from hrims.config import Settings
from hrims.db import AsyncPool, Connection
from hrims.jobs.queue import queue_run
from hrims.jobs.rescuer import task as rescuer
from hrims.jobs.store import FENCED
from hrims.jobs.workers import heartbeat, store
from tests.database.runs import begin, enqueue_run_of, institution, register_worker

SILENT = 20.0


@pytest.fixture(autouse=True)
async def held(conn: Connection, pool: AsyncPool) -> None:
    """Provide a run that a worker executes."""
    run_id = enqueue_run_of(conn, institution(conn))
    conn.execute(FENCED["fetch"], {"queues": ["sync"], "worker_id": register_worker(conn)})
    await begin(conn, pool, run_id)


def run(conn: Connection) -> Any:
    return conn.execute("SELECT state, rescues FROM runs").fetchone()


def clock(conn: Connection) -> float:
    """Return the database's, in seconds."""
    row = conn.execute("SELECT extract(epoch FROM now())::float8").fetchone()
    assert row
    return float(row[0])


def silence(conn: Connection) -> None:
    """Make the heartbeat of every worker an hour old."""
    conn.execute("UPDATE workers SET last_beat = now() - interval '1 hour'")


async def test_a_worker_that_could_not_write_its_heartbeat_rescues_nothing(
    conn: Connection, pool: AsyncPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It can read all the while. When it writes again, the others get the time for a heartbeat first."""
    settings = Settings(beat_seconds=0.1, silent_seconds=2.0)
    monkeypatch.setattr(rescuer, "LIVENESS", rescuer.LivenessGrace())
    rescuer.record_heartbeat(settings, clock(conn))
    watching = asyncio.create_task(rescuer.run_rescuer(queue_run, pool, settings))
    for _ in range(2):
        await asyncio.sleep(settings.silent_seconds)  # no heartbeat for so long
        silence(conn)
    rescued = run(conn)[1]
    back = asyncio.get_running_loop().time()
    async with asyncio.timeout(60):
        while run(conn) != ("waiting", 1):
            rescuer.record_heartbeat(settings, clock(conn))
            await asyncio.sleep(settings.beat_seconds)
    assert asyncio.get_running_loop().time() - back >= settings.silent_seconds
    assert rescued == 0
    watching.cancel()


async def test_a_worker_whose_machine_slept_takes_no_run_of_its_neighbours(
    conn: Connection, pool: AsyncPool
) -> None:
    """All on it have been silent, and the clocks of their processes stood still meanwhile."""
    minute, gap = 60.0, 10.0
    slept_at = clock(conn) - 60 * minute
    grace = rescuer.LivenessGrace()
    for moment in (slept_at - minute, slept_at - minute + gap):
        grace.record_heartbeat(moment, minute, SILENT)
    grace.record_heartbeat(slept_at, minute, SILENT)
    assert grace.can_judge(slept_at, gap), "before it slept, it judged"
    silence(conn)

    async def look() -> int:
        return await rescuer.rescue_stalled(pool, SILENT, lambda now: grace.can_judge(now, gap))

    assert await look() == 0, "before its first heartbeat"
    me = heartbeat.describe(Settings()) | {"worker_id": register_worker(conn)}
    async with pool.connection() as other:
        grace.record_heartbeat(await store.write_heartbeat(other, me), gap, SILENT)
    assert await look() == 0, "before its neighbours had the time for theirs"
    assert run(conn) == ("active", 0)
