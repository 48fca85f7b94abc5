"""Workers as they register, and what they claim."""

import asyncio

from hrims.config import Settings
from hrims.db import AsyncPool, Connection
from hrims.jobs.workers import beat, store
from tests.database.runs import live


async def test_a_process_that_registers_again_is_one_worker(conn: Connection, pool: AsyncPool) -> None:
    """After its database was away it has another number, and its first could not be unregistered."""
    other = live(conn)
    me = beat.describe(Settings()) | {"host": "host", "pid": 1}
    async with pool.connection() as registering:
        before, now = [await store.register(registering, me) for _ in range(2)]
    ended = "SELECT worker_id FROM workers WHERE ended_at IS NOT NULL"
    assert conn.execute(ended).fetchall() == [(before,)]
    assert now != other, "another container may have the same host name and process id"
    conn.execute("UPDATE workers SET last_beat = now() - interval '1 hour' WHERE worker_id = %s", (other,))
    async with pool.connection() as registering:
        await store.register(registering, me)
    assert conn.execute(f"{ended} ORDER BY 1".encode()).fetchall() == [(other,), (before,), (now,)]


async def test_one_heartbeat_is_written_in_both_lists(conn: Connection, pool: AsyncPool) -> None:
    beats, written = asyncio.Event(), 0

    def on_beat(_moment: float) -> None:
        nonlocal written
        written += 1
        if written == 2:
            beats.set()

    both = "SELECT (SELECT last_heartbeat FROM procrastinate_workers), (SELECT last_beat FROM workers)"
    async with beat.registered(pool, Settings(beat_seconds=0.05, silent_seconds=1), on_beat) as mine:
        first = conn.execute(both).fetchone()
        await asyncio.wait_for(beats.wait(), 20)
        second = conn.execute(both).fetchone()
        assert first
        assert second
        assert second[0] == second[1] > first[0]
        assert conn.execute("SELECT worker_id FROM workers").fetchone() == (mine.worker_id,)
    assert conn.execute("SELECT count(*) FROM procrastinate_workers").fetchone() == (0,)
    assert conn.execute("SELECT alive FROM workers_v").fetchone() == (False,)
