"""Pools of connections to Postgres: a DSN comes in; open pools of the web and of the worker go out."""

import asyncio
import time
import weakref
from typing import Any

import psycopg
from psycopg.pq import PipelineStatus
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from hrims import session_state
from hrims.db import (
    AsyncConnection,
    AsyncPool,
    Connection,
    detect_pooler,
    detect_pooler_async,
    is_pooled,
)

POOL_WAIT = 10.0
"""Seconds that a request waits for a connection before it says that the database is busy."""

FRESH = 1.0
"""Seconds after which a connection is checked before it is used."""

LOCK_WAIT = "10s"
"""How long a request waits for what somebody else holds: a worker that froze in the middle of a transaction
holds it until another one ends its session, and there may be no other.
"""

GIVE_UP = 5.0
"""Seconds after which a pool that cannot connect begins anew: it tries after 1, 2, 4 … seconds, and would let
minutes pass unused once the database is back.
"""

_worked: "weakref.WeakKeyDictionary[AsyncConnection, float]" = weakref.WeakKeyDictionary()


class WebPool(ConnectionPool[Connection]):
    """A pool that keeps no read-only session; ``is_read_only`` is what the last session reported."""

    is_read_only = False
    _replaced_at = float("-inf")

    def __init__(self, dsn: str, **given: Any) -> None:
        super().__init__(dsn, check=self.check_one, **given)

    def getconn(self, timeout: float | None = None) -> Connection:
        while session_state.is_stale(conn := super().getconn(timeout)):
            self.putconn(conn)
        self.is_read_only = session_state.is_read_only(conn)
        return conn

    def putconn(self, conn: Connection) -> None:
        if not conn.closed:
            self.is_read_only = session_state.is_read_only(conn)
        _let_expire(conn)
        super().putconn(conn)

    def check_one(self, conn: Connection) -> None:
        """Check a connection before it is used. Raise psycopg.Error when it is broken, after replacing all
        that are idle: they broke together, and the pool pauses after each that it finds broken.
        """
        try:
            self.check_connection(conn)
        except psycopg.Error:
            if session_state.login_of(conn) > self._replaced_at:
                self._replaced_at = time.monotonic()
                self.drain()
            raise


class WorkerPool(AsyncConnectionPool[AsyncConnection]):
    """A pool that loses no cancellation, and keeps no session that is read-only or was left in a pipeline."""

    _replaced_at = float("-inf")

    def __init__(self, **given: Any) -> None:
        super().__init__(**{**given, "check": self.check_one})

    async def getconn(self, timeout: float | None = None) -> AsyncConnection:  # noqa: ASYNC109 - psycopg's
        # Before Python 3.12 asyncio.wait_for, in which the pool waits, forgets a cancellation that comes
        # together with the connection: what runs for ever would never end, nor who waits for its end.
        asked = _cancellations()
        while session_state.is_stale(conn := await super().getconn(timeout)):
            await self.putconn(conn)
        if _cancellations() > asked:
            await self.putconn(conn)
            raise asyncio.CancelledError
        return conn

    async def putconn(self, conn: AsyncConnection) -> None:
        # Whoever is cancelled just as they enter a pipeline never leaves it, and nor would the next one.
        if _is_in_pipeline(conn):
            await conn.close()
        _let_expire(conn)
        await super().putconn(conn)

    async def check_one(self, conn: AsyncConnection) -> None:
        """Check a connection as WebPool does, unless it worked a moment ago."""
        try:
            await check_unless_fresh(conn)
        except psycopg.Error:
            if session_state.login_of(conn) > self._replaced_at:
                self._replaced_at = time.monotonic()
                await self.drain()
            raise


def open_pool(dsn: str, *, most: int) -> WebPool:
    """An open pool of at most ``most`` connections. Open it after a fork, never before."""
    pool = WebPool(
        dsn,
        min_size=1,
        max_size=most,
        timeout=POOL_WAIT,
        configure=_configure,
        reconnect_timeout=GIVE_UP,
        reconnect_failed=ConnectionPool.check,
        open=False,
    )
    pool.open()
    return pool


def open_worker_pool(**given: Any) -> AsyncPool:
    """The pool of a worker, as Procrastinate's connector asks for it; its checks cost no trip a page."""
    ours = {
        "configure": detect_pooler_async,
        "reconnect_timeout": GIVE_UP,
        "reconnect_failed": AsyncConnectionPool.check,
    }
    return WorkerPool(**{**given, **ours})


def _configure(conn: Connection) -> None:
    """Wait for no lock for ever. Behind a pooler a setting would be the next one's too."""
    detect_pooler(conn)
    if not is_pooled(conn):
        conn.execute("SELECT set_config('lock_timeout', %s, false)", (LOCK_WAIT,))
        conn.commit()


def _let_expire(conn: Connection | AsyncConnection) -> None:
    """Have the pool close a read-only session on its return, and open another."""
    if session_state.must_close(conn):
        conn._expire_at = 0.0  # noqa: SLF001 - a plain close() makes the pool log a warning for each


def _is_in_pipeline(conn: AsyncConnection) -> bool:
    if conn.closed:
        return False
    return bool(conn._pipeline) or conn.pgconn.pipeline_status != PipelineStatus.OFF  # noqa: SLF001 - psycopg has no public name for it


def _cancellations() -> int:
    current = asyncio.current_task()
    return current.cancelling() if current else 0


async def check_unless_fresh(conn: AsyncConnection) -> None:
    """Checks a connection that stood idle; one that worked a moment ago most likely works, and whoever
    uses it is patient. Raises OperationalError when it is broken.
    """
    if time.monotonic() - _worked.get(conn, float("-inf")) > FRESH:
        await AsyncConnectionPool.check_connection(conn)
    _worked[conn] = time.monotonic()
