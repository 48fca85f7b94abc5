"""Connections to Postgres: settings in; the DSN in use, connections and named statements out."""

import logging
import os
import re
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, ConnectionPool

from hrims import instances, postgres, session_state
from hrims.config import Settings
from hrims.errors import ConfigError

Connection = psycopg.Connection[TupleRow]
AsyncConnection = psycopg.AsyncConnection[TupleRow]
Pool = ConnectionPool[Connection]
AsyncPool = AsyncConnectionPool[AsyncConnection]

PATIENCE: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20000,
}
"""A host that vanishes is noticed in seconds, not after the two hours of TCP."""

PROCESS = "SELECT pg_backend_pid()"

log = logging.getLogger(__name__)

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
        detect_pooler(conn)
    except BaseException:
        conn.close()
        raise
    return conn


def detect_pooler(conn: Connection) -> None:
    """Find out whether Postgres itself answers or a pooler. Behind one that gives every transaction another
    session nothing may be prepared, and nobody is notified.
    """
    before, conn.autocommit = conn.autocommit, True
    row = conn.execute(PROCESS, prepare=False).fetchone()
    conn.autocommit = before
    _note_login(conn, row)


async def detect_pooler_async(conn: AsyncConnection) -> None:
    """Find out the same of an asynchronous connection."""
    before = conn.autocommit
    await conn.set_autocommit(True)
    row = await (await conn.execute(PROCESS, prepare=False)).fetchone()
    await conn.set_autocommit(before)
    _note_login(conn, row)


def _note_login(conn: Connection | AsyncConnection, process: TupleRow | None) -> None:
    # Of which session will answer, a pooler knows nothing yet at login: the number that it gives is made up.
    if process != (conn.info.backend_pid,):
        conn.prepare_threshold = None
    session_state.note_login(conn)


def is_pooled(conn: Connection | AsyncConnection) -> bool:
    """Whether a pooler such as PgBouncer stands between; of a connection that was made here."""
    return conn.prepare_threshold is None


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
