"""Workers as they register, and what they claim."""

import asyncio
from contextlib import AbstractAsyncContextManager

import psycopg

from hrims.config import Settings
from hrims.db import AsyncPool, Connection
from hrims.jobs.cleaner import task as cleaner
from hrims.jobs.workers import heartbeat, store
from hrims.remote.connection.reader import ConnectionReader
from hrims.worker import DELETIONS
from tests.database.runs import register_worker


def registered(
    pool: AsyncPool, settings: Settings, on_beat: heartbeat.OnHeartbeat
) -> AbstractAsyncContextManager[heartbeat.Registration]:
    return heartbeat.registered(pool, settings, ConnectionReader(pool, settings), on_beat)


async def test_a_process_that_registers_again_is_one_worker(conn: Connection, pool: AsyncPool) -> None:
    """After its database was away it has another number, and its first could not be unregistered."""
    other = register_worker(conn)
    me = heartbeat.describe(Settings()) | {"host": "host", "pid": 1}
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
    async with registered(pool, Settings(beat_seconds=0.05, silent_seconds=1), on_beat) as own:
        first = conn.execute(both).fetchone()
        await asyncio.wait_for(beats.wait(), 20)
        second = conn.execute(both).fetchone()
        assert first
        assert second
        assert second[0] == second[1] > first[0]
        assert conn.execute("SELECT worker_id FROM workers").fetchone() == (own.worker_id,)
    assert conn.execute("SELECT count(*) FROM procrastinate_workers").fetchone() == (0,)
    assert conn.execute("SELECT alive FROM workers_v").fetchone() == (False,)


OPEN_BREAKER = """
INSERT INTO remote_breakers (host, address, reason, code, probe_at) VALUES ('gone', 'gone', '', '', now())
"""


async def test_a_lock_on_what_is_to_be_deleted_stops_neither_heartbeat_nor_cleaner(
    conn: Connection, pool: AsyncPool, dsn: str
) -> None:
    """A frozen transaction may hold the row of a breaker that no worker needs any more."""
    conn.execute(OPEN_BREAKER)
    beats: asyncio.Queue[float] = asyncio.Queue()
    with psycopg.connect(dsn) as frozen:
        frozen.execute("SELECT FROM remote_breakers FOR UPDATE")
        settings = Settings(beat_seconds=0.05, silent_seconds=1)
        async with registered(pool, settings, beats.put_nowait), asyncio.timeout(60):
            for _ in range(5):
                await beats.get()
        await cleaner.delete_expired(DELETIONS, pool, Settings())
    assert conn.execute("SELECT count(*) FROM remote_breakers").fetchone() == (1,)


async def test_the_cleaner_deletes_workers_that_are_long_gone(conn: Connection, pool: AsyncPool) -> None:
    conn.execute(OPEN_BREAKER)
    gone, silent, living = (register_worker(conn) for _ in range(3))
    for worker_id, days in ((gone, 8), (silent, 6)):
        conn.execute(
            "UPDATE workers SET last_beat = now() - make_interval(days => %s) WHERE worker_id = %s",
            (days, worker_id),
        )
    await cleaner.delete_expired(DELETIONS, pool, Settings())
    stored = conn.execute("SELECT worker_id FROM workers ORDER BY 1").fetchall()
    assert stored == [(silent,), (living,)]
    assert conn.execute("SELECT count(*) FROM remote_breakers").fetchone() == (0,)
