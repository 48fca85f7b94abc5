"""The rescuer's liveness grace: a worker judges others only while its own heartbeat was written."""

import asyncio

import pytest

from hrims.config import Settings
from hrims.db import AsyncPool, Connection
from hrims.jobs.queue import queue_run
from hrims.jobs.rescuer import task as rescuer
from hrims.jobs.workers import heartbeat, store
from tests.database.runs import register_worker
from tests.database.workers import SILENT_SECONDS, expire_heartbeats, run_state

pytestmark = pytest.mark.usefixtures("running")


def clock(conn: Connection) -> float:
    """Return the time of the database, in seconds."""
    row = conn.execute("SELECT extract(epoch FROM now())::float8").fetchone()
    assert row
    return float(row[0])


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
        expire_heartbeats(conn)
    rescued = run_state(conn)[1]
    back = asyncio.get_running_loop().time()
    async with asyncio.timeout(60):
        while run_state(conn) != ("waiting", 1, None):
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
        grace.record_heartbeat(moment, minute, SILENT_SECONDS)
    grace.record_heartbeat(slept_at, minute, SILENT_SECONDS)
    assert grace.can_judge(slept_at, gap), "before it slept, it judged"
    expire_heartbeats(conn)

    async def rescue() -> int:
        return await rescuer.rescue_stalled(pool, SILENT_SECONDS, lambda now: grace.can_judge(now, gap))

    assert await rescue() == 0, "before its first heartbeat"
    me = heartbeat.describe(Settings()) | {"worker_id": register_worker(conn)}
    async with pool.connection() as other:
        grace.record_heartbeat(await store.write_heartbeat(other, me), gap, SILENT_SECONDS)
    assert await rescue() == 0, "before its neighbours had the time for theirs"
    assert run_state(conn) == ("active", 0, None)
