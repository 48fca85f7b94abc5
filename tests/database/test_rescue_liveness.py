"""Whose silence proves a death: a worker judges others only while its own heartbeat was written."""

import asyncio
from typing import Any

import pytest

from hrims.config import Settings
from hrims.db import AsyncPool, Connection
from hrims.jobs.queue import queue_run
from hrims.jobs.rescue import watch
from hrims.jobs.store import HELD
from hrims.jobs.workers import beat, store
from tests.database.runs import ask_for, begin, institution, live

SILENT = 20.0


@pytest.fixture(autouse=True)
async def held(conn: Connection, pool: AsyncPool) -> None:
    """A run that a worker carries out."""
    run_id = ask_for(conn, institution(conn))
    conn.execute(HELD["take"], {"queues": ["sync"], "worker_id": live(conn)})
    await begin(conn, pool, run_id)


def run(conn: Connection) -> Any:
    return conn.execute("SELECT state, rescues FROM runs").fetchone()


def clock(conn: Connection) -> float:
    """The database's, in seconds."""
    row = conn.execute("SELECT extract(epoch FROM now())::float8").fetchone()
    assert row
    return float(row[0])


def silence(conn: Connection) -> None:
    """Every worker has been silent for an hour."""
    conn.execute("UPDATE workers SET last_beat = now() - interval '1 hour'")


async def test_a_worker_that_could_not_write_its_heartbeat_rescues_nothing(
    conn: Connection, pool: AsyncPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It can read all the while. When it writes again, the others get the time for a heartbeat first."""
    settings = Settings(beat_seconds=0.1, silent_seconds=2.0)
    monkeypatch.setattr(watch, "SIGHT", watch.Sight())
    watch.note_beat(settings, clock(conn))
    watching = asyncio.create_task(watch.keep_watch(queue_run, pool, settings))
    for _ in range(2):
        await asyncio.sleep(settings.silent_seconds)  # no heartbeat for so long
        silence(conn)
    rescued = run(conn)[1]
    back = asyncio.get_running_loop().time()
    async with asyncio.timeout(20):
        while run(conn) != ("waiting", 1):
            watch.note_beat(settings, clock(conn))
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
    sight = watch.Sight()
    for moment in (slept_at - minute, slept_at - minute + gap):
        sight.note_beat(moment, minute, SILENT)
    sight.note_beat(slept_at, minute, SILENT)
    assert sight.is_clear(slept_at, gap), "before it slept, it judged"
    silence(conn)

    async def look() -> int:
        return await watch.rescue_stalled(pool, SILENT, lambda now: sight.is_clear(now, gap))

    assert await look() == 0, "before its first heartbeat"
    me = beat.describe(Settings()) | {"worker_id": live(conn)}
    async with pool.connection() as other:
        sight.note_beat(await store.beat(other, me), gap, SILENT)
    assert await look() == 0, "before its neighbours had the time for theirs"
    assert run(conn) == ("active", 0)
