"""Connection pools of web processes and workers. Input: a DSN. Output: an open pool."""

import asyncio
import time
import weakref
from functools import partial
from typing import Any, Self

import psycopg
from psycopg import generators
from psycopg.errors import error_from_result
from psycopg.pq import ExecStatus, Format, PipelineStatus
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from hrims import session_state
from hrims.db import (
    AsyncConnection,
    AsyncPool,
    Connection,
    detect_pooler,
    detect_pooler_async,
    is_pooled,
    use_application_role,
    use_application_role_async,
)
from hrims.outages import outages

POOL_TIMEOUT = 10.0
"""Seconds that a request waits for a connection before it fails because the database is busy."""

FRESH_SECONDS = 1.0
"""Seconds of idleness after which a connection is checked before its use."""

LOCK_SECONDS = 10.0
"""The lock timeout of a request. A worker that froze inside a transaction keeps its locks until another
worker terminates its session, and there may be no other worker.
"""

RECONNECT_TIMEOUT = 5.0
"""Seconds after which a pool that cannot connect restarts its attempts.

It connects after 1, 2, 4 … seconds, so without a restart it could lose minutes after the database's return.
"""

_worked: "weakref.WeakKeyDictionary[AsyncConnection, float]" = weakref.WeakKeyDictionary()


class NotedConnection(Connection):
    """A connection whose opening is noted, so that the log says why the database is away.

    ``begin_with`` are statements that follow each BEGIN.
    """

    begin_with = b""

    @classmethod
    def connect(cls, conninfo: str = "", **options: Any) -> Self:
        try:
            conn = super().connect(conninfo, **options)
        except psycopg.OperationalError as error:
            outages.note_failure(error)
            raise
        outages.note_connection()
        return conn

    def _exec_command(self, command: Any, result_format: Format = Format.TEXT) -> Any:
        result = yield from super()._exec_command(command, result_format)
        if self.begin_with and command == self._get_tx_start_command():
            # In one round trip, and before a view may set the isolation level, which must precede a query.
            self.pgconn.send_query(self.begin_with)
            for done in (yield from generators.execute(self.pgconn)):
                if done.status != ExecStatus.COMMAND_OK:
                    raise error_from_result(done, encoding=self.info.encoding)
        return result


class NotedAsyncConnection(AsyncConnection):
    """The same for workers."""

    @classmethod
    async def connect(cls, conninfo: str = "", **options: Any) -> Self:
        try:
            conn = await super().connect(conninfo, **options)
        except psycopg.OperationalError as error:
            outages.note_failure(error)
            raise
        outages.note_connection()
        return conn


class WebPool(ConnectionPool[Connection]):
    """A pool that keeps no read-only session. ``is_read_only`` is the state that the last session
    reported.
    """

    is_read_only = False
    _replaced_at = float("-inf")

    def __init__(self, dsn: str, **options: Any) -> None:
        super().__init__(dsn, connection_class=NotedConnection, check=self.check_or_drain, **options)

    def getconn(self, timeout: float | None = None) -> Connection:
        while session_state.is_stale(conn := super().getconn(timeout)):
            self.putconn(conn)
        self.is_read_only = session_state.is_read_only(conn)
        if not (self.is_read_only or is_pooled(conn)):
            outages.note_writable()
        return conn

    def putconn(self, conn: Connection) -> None:
        if not conn.closed:
            self.is_read_only = session_state.is_read_only(conn)
        _let_expire(conn)
        super().putconn(conn)

    def check_or_drain(self, conn: Connection) -> None:
        """Check a connection before its use. Raise psycopg.Error if it is broken.

        First replace all idle connections: they broke together, and the pool pauses after each broken one
        that it finds.
        """
        try:
            self.check_connection(conn)
        except psycopg.Error:
            if session_state.login_of(conn) > self._replaced_at:
                self._replaced_at = time.monotonic()
                self.drain()
            raise


class WorkerPool(AsyncConnectionPool[AsyncConnection]):
    """A pool that loses no cancellation and keeps no session that is read-only or still in a pipeline."""

    _replaced_at = float("-inf")

    def __init__(self, **options: Any) -> None:
        own = {"check": self.check_or_drain, "connection_class": NotedAsyncConnection}
        super().__init__(**{**options, **own})

    async def getconn(self, timeout: float | None = None) -> AsyncConnection:  # noqa: ASYNC109 - psycopg's
        # The pool waits in asyncio.wait_for. Before Python 3.12 that loses a cancellation which arrives
        # together with the connection. A periodic task, and the code that awaits it, would never end.
        cancellations = _cancellations()
        while session_state.is_stale(conn := await super().getconn(timeout)):
            await self.putconn(conn)
        if _cancellations() > cancellations:
            await self.putconn(conn)
            raise asyncio.CancelledError
        return conn

    async def putconn(self, conn: AsyncConnection) -> None:
        # A task that is cancelled while it enters a pipeline leaves the connection in pipeline mode.
        if _is_in_pipeline(conn):
            await conn.close()
        _let_expire(conn)
        await super().putconn(conn)

    async def check_or_drain(self, conn: AsyncConnection) -> None:
        """Check a connection like WebPool, unless it worked a moment ago."""
        try:
            await check_unless_fresh(conn)
        except psycopg.Error:
            if session_state.login_of(conn) > self._replaced_at:
                self._replaced_at = time.monotonic()
                await self.drain()
            raise


def open_pool(dsn: str, *, max_size: int, statement_seconds: float = 0) -> WebPool:
    """Open a pool of at most ``max_size`` connections. Call it after a fork, never before.

    A statement, or a transaction without one, ends after ``statement_seconds``; with 0 it does not.
    """
    pool = WebPool(
        dsn,
        min_size=1,
        max_size=max_size,
        timeout=POOL_TIMEOUT,
        configure=partial(_configure, statement_seconds=statement_seconds),
        reconnect_timeout=RECONNECT_TIMEOUT,
        reconnect_failed=ConnectionPool.check,
        open=False,
    )
    pool.open()
    return pool


def open_worker_pool(**options: Any) -> AsyncPool:
    """Return a worker's pool, for Procrastinate's connector. Its checks cost no round trip per page."""
    overrides = {
        "configure": _configure_async,
        "reconnect_timeout": RECONNECT_TIMEOUT,
        "reconnect_failed": AsyncConnectionPool.check,
    }
    return WorkerPool(**{**options, **overrides})


def _configure(conn: Connection, *, statement_seconds: float) -> None:
    """Set the role and the limits of a session; behind a pooler the limits of each transaction.

    Other clients of the pooler would inherit those of the session.
    """
    detect_pooler(conn)
    use_application_role(conn)
    if is_pooled(conn):
        assert isinstance(conn, NotedConnection)
        conn.begin_with = _set_limits("SET LOCAL", statement_seconds)
    else:
        conn.execute(_set_limits("SET", statement_seconds))
        conn.commit()


def _set_limits(command: str, statement_seconds: float) -> bytes:
    limits = {
        "lock_timeout": LOCK_SECONDS,
        "statement_timeout": statement_seconds,
        "idle_in_transaction_session_timeout": statement_seconds,
    }
    return "; ".join(f"{command} {name} = {seconds * 1000:.0f}" for name, seconds in limits.items()).encode()


async def _configure_async(conn: AsyncConnection) -> None:
    await detect_pooler_async(conn)
    await use_application_role_async(conn)


def _let_expire(conn: Connection | AsyncConnection) -> None:
    """Make the pool close a read-only session on its return and open another."""
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
    """Check a connection that was idle. Raises OperationalError if it is broken.

    A connection that worked a moment ago most likely still works, and its user retries anyway.
    """
    if time.monotonic() - _worked.get(conn, float("-inf")) > FRESH_SECONDS:
        await AsyncConnectionPool.check_connection(conn)
    _worked[conn] = time.monotonic()
