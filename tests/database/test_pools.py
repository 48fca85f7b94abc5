"""Pools reconnect soon after the database is back, and never hand out a broken connection."""

import asyncio
from contextlib import AsyncExitStack, ExitStack

import psycopg
import pytest
from psycopg import sql, waiting
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import PipelineStatus
from psycopg_pool import base

from hrims import connection_pools, db
from hrims.connection_pools import open_pool, open_worker_pool
from hrims.resilience import retry_on_disconnect, run_periodically, shield_until_done


async def test_a_cancellation_during_pipeline_entry_leaves_no_connection_in_it(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A busy loop is the only one in which psycopg stops for a moment there.
    monkeypatch.setattr(waiting, "MAX_BUSY_TIME", 0.0)
    entered: list[db.AsyncConnection] = []

    async def enter() -> None:
        async with pool.connection() as conn:
            entered.append(conn)
            current = asyncio.current_task()
            assert current
            current.cancel()
            async with conn.pipeline():
                pytest.fail("it was to be cancelled before")

    async with open_worker_pool(conninfo=dsn, min_size=1, max_size=1, open=False) as pool:
        with pytest.raises(asyncio.CancelledError):
            await asyncio.create_task(enter())
        assert entered[0].closed
        async with pool.connection() as conn:
            assert conn.pgconn.pipeline_status == PipelineStatus.OFF
            async with conn.cursor() as cursor, cursor.copy("COPY (SELECT 1) TO STDOUT") as copy:
                assert [row async for row in copy.rows()] == [("1",)]


@pytest.mark.parametrize("moments", range(8))
async def test_a_cancellation_during_connect_is_raised(dsn: str, moments: int) -> None:
    async def work() -> None:
        async with pool.connection():
            await asyncio.sleep(60)

    async with open_worker_pool(conninfo=dsn, min_size=1, max_size=1, open=False) as pool:
        conn = await pool.getconn()
        working = asyncio.create_task(work())
        while not pool.get_stats()["requests_waiting"]:  # noqa: ASYNC110 - it sends no signal
            await asyncio.sleep(0)
        await pool.putconn(conn)
        for _ in range(moments):
            await asyncio.sleep(0)
        working.cancel()
        ended, _ = await asyncio.wait({working}, timeout=10)
        assert ended
        assert working.cancelled()
        async with pool.connection(timeout=10) as conn:
            await conn.execute("SELECT 1")


def _let_in(server_dsn: str, dsn: str, yes: bool) -> None:
    name = str(conninfo_to_dict(dsn)["dbname"])
    with psycopg.connect(server_dsn, autocommit=True) as conn:
        conn.execute(
            sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}").format(sql.Identifier(name), sql.Literal(yes))
        )


@pytest.fixture
def waits_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the pause that a pool of psycopg has after the database was away for half an hour."""
    monkeypatch.setattr(base.AttemptWithBackoff, "INITIAL_DELAY", 3600.0)
    assert connection_pools.RECONNECT_TIMEOUT < 30
    monkeypatch.setattr(connection_pools, "RECONNECT_TIMEOUT", 1.0)


def test_the_web_connects_soon_however_long_the_database_was_away(
    dsn: str, server_dsn: str, waits_an_hour: None
) -> None:
    _let_in(server_dsn, dsn, yes=False)
    with open_pool(dsn, max_size=1) as pool:
        with pytest.raises(psycopg.OperationalError):
            pool.getconn(timeout=0.5)
        _let_in(server_dsn, dsn, yes=True)
        with pool.connection(timeout=30) as conn:
            assert conn.execute("SELECT 1").fetchone() == (1,)


async def test_a_worker_connects_soon_however_long_the_database_was_away(
    dsn: str, server_dsn: str, waits_an_hour: None
) -> None:
    _let_in(server_dsn, dsn, yes=False)
    async with open_worker_pool(conninfo=dsn, min_size=1, max_size=1, open=False) as pool:
        with pytest.raises(psycopg.OperationalError):
            await pool.getconn(timeout=0.5)
        _let_in(server_dsn, dsn, yes=True)
        async with pool.connection(timeout=30) as conn:
            assert await (await conn.execute("SELECT 1")).fetchone() == (1,)


def _end_sessions(server_dsn: str, dsn: str, sessions: int) -> None:
    """End all sessions of this database; there are so many."""
    ended = "SELECT count(pg_terminate_backend(pid, 10000)) FROM pg_stat_activity WHERE datname = %s"
    with psycopg.connect(server_dsn, autocommit=True) as server:
        row = server.execute(ended, (conninfo_to_dict(dsn)["dbname"],)).fetchone()
    assert row == (sessions,)


def test_sessions_that_ended_together_are_replaced_together(dsn: str, server_dsn: str) -> None:
    """psycopg's pool pauses for 1, 2, 4 … s after each session of which a check shows that it ended."""
    with open_pool(dsn, max_size=8) as pool:
        for _ in range(2):
            with ExitStack() as stack:
                for _ in range(8):
                    stack.enter_context(pool.connection())
            _end_sessions(server_dsn, dsn, 8)
            with pool.connection(timeout=30) as conn:
                assert conn.execute("SELECT 1").fetchone() == (1,)


async def test_sessions_of_a_worker_that_ended_together_are_replaced_together(
    dsn: str, server_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_pools, "FRESH_SECONDS", 0.0)
    async with open_worker_pool(conninfo=dsn, min_size=1, max_size=8, open=False) as pool:
        for _ in range(2):
            async with AsyncExitStack() as stack:
                for _ in range(8):
                    await stack.enter_async_context(pool.connection())
            _end_sessions(server_dsn, dsn, 8)
            async with pool.connection(timeout=30) as conn:
                assert await (await conn.execute("SELECT 1")).fetchone() == (1,)


@pytest.mark.parametrize("fails", [False, True])
async def test_shielded_work_finishes_despite_cancellation(fails: bool) -> None:
    go_on, done = asyncio.Event(), []

    async def work() -> None:
        await go_on.wait()
        done.append("done")
        if fails:
            raise ValueError

    waiting_for_it = asyncio.create_task(shield_until_done(work()))
    for _ in range(2):  # a task may be cancelled twice
        await asyncio.sleep(0)
        waiting_for_it.cancel()
        await asyncio.sleep(0)
        assert not waiting_for_it.done()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await waiting_for_it
    assert done == ["done"]


async def test_a_cancellation_that_is_answered_with_a_lost_connection_is_heeded() -> None:
    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise psycopg.OperationalError("the connection is lost") from None

    working = asyncio.create_task(retry_on_disconnect(work))
    await asyncio.sleep(0)
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(working, 10)


async def test_a_periodic_task_ends_though_its_work_ignores_a_cancellation() -> None:
    missed: list[str] = []

    async def work() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            if missed:
                raise
            missed.append("the first")

    working = asyncio.create_task(run_periodically("do it", 0.0, work))
    await asyncio.sleep(0)
    working.cancel()
    ended, _ = await asyncio.wait({working}, timeout=10)
    assert ended
    assert working.cancelled()
