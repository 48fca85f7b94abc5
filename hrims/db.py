"""Connections to Postgres: settings in; the DSN in use, pools and named statements out."""

import asyncio
import logging
import os
import re
import threading
import time
import weakref
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import PipelineStatus
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from hrims import instances, postgres, session_state
from hrims.config import Settings
from hrims.errors import ConfigError

Connection = psycopg.Connection[TupleRow]
AsyncConnection = psycopg.AsyncConnection[TupleRow]
Pool = ConnectionPool[Connection]
AsyncPool = AsyncConnectionPool[AsyncConnection]

POOL_WAIT = 10.0
"""Seconds that a request waits for a connection before it says that the database is busy."""

PATIENCE: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20000,
}
"""A host that vanishes is noticed in seconds, not after the two hours of TCP."""

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

PROCESS = "SELECT pg_backend_pid()"

log = logging.getLogger(__name__)

_worked: "weakref.WeakKeyDictionary[AsyncConnection, float]" = weakref.WeakKeyDictionary()

_joined: dict[Path, postgres.Server] = {}
_joining = threading.Lock()


def dsn_of(settings: Settings) -> str:
    """The DSN in use: DATABASE_URL, else the embedded server, which is started if none runs.

    A process keeps its share of the embedded server until it ends.
    """
    if settings.database_url:
        return _given(settings.database_url)
    with _joining:
        if settings.state_dir not in _joined:
            instances.check_meant(settings, os.environ)
            _joined[settings.state_dir] = postgres.join(settings.state_dir)
        return _joined[settings.state_dir].dsn


def leave(settings: Settings, patience: float) -> bool:
    """Gives up this process' share of the embedded server, if it has one, and waits at most
    ``patience`` seconds for the server's end; False when others still use it.
    """
    with _joining:
        joined = _joined.pop(settings.state_dir, None)
    return joined is None or joined.leave(patience)


def _given(dsn: str) -> str:
    try:
        return make_conninfo(dsn, **_unless_given(dsn))
    except psycopg.ProgrammingError:
        # PostgreSQL's own words would repeat a part of it.
        raise ConfigError(
            "DATABASE_URL cannot be read; it is not repeated here, because a password may stand in it. "
            "Give an address like postgresql://user:password@host:5432/hrims, with signs like @ / : % in "
            "the password written as %40 %2F %3A %25. Nothing was started."
        ) from None


def _unless_given(dsn: str) -> dict[str, Any]:
    given = conninfo_to_dict(dsn)
    return {name: value for name, value in PATIENCE.items() if name not in given}


def as_url(dsn: str) -> str:
    """The same DSN as an address that psql, psycopg and most other clients take."""
    parts = {name: str(value) for name, value in conninfo_to_dict(dsn).items()}
    user, name = quote(parts.pop("user", "")), quote(parts.pop("dbname", ""))
    return f"postgresql://{user}{'@' if user else ''}/{name}?{urlencode(parts)}"


def connect(dsn: str, **given: Any) -> Connection:
    """One connection that commits by itself. Raises OperationalError."""
    conn = psycopg.connect(dsn, autocommit=True, **given)
    try:
        _meet(conn)
    except BaseException:
        conn.close()
        raise
    return conn


class WebPool(ConnectionPool[Connection]):
    """A pool that keeps no read-only session; ``is_read_only`` is what the last session reported."""

    is_read_only = False

    def getconn(self, timeout: float | None = None) -> Connection:
        while session_state.is_stale(conn := super().getconn(timeout)):
            self.putconn(conn)
        return conn

    def putconn(self, conn: Connection) -> None:
        if not conn.closed:
            self.is_read_only = session_state.is_read_only(conn)
        _let_expire(conn)
        super().putconn(conn)


class WorkerPool(AsyncConnectionPool[AsyncConnection]):
    """A pool that loses no cancellation, and keeps no session that is read-only or was left in a pipeline."""

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


def open_pool(dsn: str, *, most: int) -> WebPool:
    """An open pool of at most ``most`` connections. Open it after a fork, never before."""
    pool = WebPool(
        dsn,
        min_size=1,
        max_size=most,
        timeout=POOL_WAIT,
        configure=_meet_impatiently,
        check=ConnectionPool.check_connection,
        reconnect_timeout=GIVE_UP,
        reconnect_failed=ConnectionPool.check,
        open=False,
    )
    pool.open()
    return pool


def open_worker_pool(**given: Any) -> AsyncPool:
    """The pool of a worker, as Procrastinate's connector asks for it; its checks cost no trip a page."""
    ours = {
        "configure": _meet_async,
        "check": check_unless_fresh,
        "reconnect_timeout": GIVE_UP,
        "reconnect_failed": AsyncConnectionPool.check,
    }
    return WorkerPool(**{**given, **ours})


def _meet(conn: Connection) -> None:
    """Finds out whether Postgres itself answers or a pooler. Behind one that gives every transaction another
    session nothing may be prepared, and nobody is notified.
    """
    before, conn.autocommit = conn.autocommit, True
    row = conn.execute(PROCESS, prepare=False).fetchone()
    conn.autocommit = before
    _note(conn, row)


def _meet_impatiently(conn: Connection) -> None:
    """The same, and waits for no lock for ever. Behind a pooler a setting would be the next one's too."""
    _meet(conn)
    if not is_pooled(conn):
        conn.execute("SELECT set_config('lock_timeout', %s, false)", (LOCK_WAIT,))
        conn.commit()


async def _meet_async(conn: AsyncConnection) -> None:
    """The same, for the worker."""
    before = conn.autocommit
    await conn.set_autocommit(True)
    row = await (await conn.execute(PROCESS, prepare=False)).fetchone()
    await conn.set_autocommit(before)
    _note(conn, row)


def _note(conn: Connection | AsyncConnection, process: TupleRow | None) -> None:
    # Of which session will answer, a pooler knows nothing yet at login: the number that it gives is made up.
    if process != (conn.info.backend_pid,):
        conn.prepare_threshold = None
    session_state.note_login(conn)


def is_pooled(conn: Connection | AsyncConnection) -> bool:
    """Whether a pooler such as PgBouncer stands between; of a connection that was made here."""
    return conn.prepare_threshold is None


async def check_unless_fresh(conn: AsyncConnection) -> None:
    """Checks a connection that stood idle; one that worked a moment ago most likely works, and whoever
    uses it is patient. Raises OperationalError when it is broken.
    """
    if time.monotonic() - _worked.get(conn, float("-inf")) > FRESH:
        await AsyncConnectionPool.check_connection(conn)
    _worked[conn] = time.monotonic()


def int_array(numbers: Iterable[int]) -> str:
    """An array of whole numbers as Postgres writes it; psycopg takes longer for a long one."""
    return "{" + ",".join(map(str, numbers)) + "}"


def can_write(conn: Connection) -> bool:
    """Return whether the server accepts writes in this session now."""
    row = conn.execute("SHOW transaction_read_only").fetchone()
    return row == ("off",)


def one_moment(conn: Connection) -> None:
    """All that this transaction reads is of one moment; call it first in it."""
    conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")


def statements(path: Path) -> dict[str, bytes]:
    """The statements of a ``.sql`` file by the names in its ``-- name: …`` lines."""
    parts = re.split(r"^-- name: (\w+)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {name: sql.strip().encode() for name, sql in zip(parts[1::2], parts[2::2], strict=True)}
