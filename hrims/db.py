"""Connections to Postgres. Input: settings. Output: the DSN in use, connections and named statements."""

import os
import re
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple
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

CONNECTION_DEFAULTS: dict[str, Any] = {
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 20000,
}
"""Connection parameters that detect a lost host in seconds, not after the two hours of TCP keepalive."""

BACKEND_PID = "SELECT pg_backend_pid()"

SET_ROLE = """
SELECT set_config('role', (
    SELECT r.rolname FROM pg_proc p CROSS JOIN LATERAL aclexplode(p.proacl) a
    JOIN pg_roles r ON r.oid = a.grantee
    WHERE p.oid = to_regproc('audit_insert') AND a.grantee <> p.proowner
      AND pg_has_role(session_user, p.proowner, 'MEMBER') AND pg_has_role(session_user, r.oid, '{}')
    ORDER BY 1 LIMIT 1), false)
"""
"""Makes a session of the owner use the rights of the application role, which may write audit records."""

BLOCKERS = """
SELECT DISTINCT b.pid, coalesce(nullif(s.application_name, ''), s.backend_type), s.usename, s.state,
       extract(epoch FROM clock_timestamp() - s.xact_start)::float
FROM unnest(pg_blocking_pids(%s)) AS b (pid) LEFT JOIN pg_stat_activity s ON s.pid = b.pid
ORDER BY b.pid
"""

_servers: dict[Path, postgres.Server] = {}
_servers_lock = threading.Lock()


def dsn_of(settings: Settings) -> str:
    """Return the DSN of web processes, workers and commands: DATABASE_URL, or that of the embedded server.

    The server is started if it does not run. A process remains its user until it ends.
    """
    return _with_defaults(settings.database_url) if settings.database_url else _join(settings).application_dsn


def owner_dsn_of(settings: Settings) -> str:
    """Return the DSN of the owner of the tables, like ``dsn_of``. Only `hrims migrate` uses it."""
    owner = settings.owner_database_url or settings.database_url
    return _with_defaults(owner) if owner else _join(settings).dsn


def _join(settings: Settings) -> postgres.Server:
    with _servers_lock:
        if settings.state_dir not in _servers:
            instances.check_meant(settings, os.environ)
            _servers[settings.state_dir] = postgres.join(settings.state_dir)
        return _servers[settings.state_dir]


def server_log(settings: Settings) -> Path | None:
    """Return the log of the embedded server that this process uses; None if it uses none."""
    with _servers_lock:
        server = _servers.get(settings.state_dir)
    return server.log if server else None


def leave(settings: Settings, timeout: float) -> bool:
    """Stop using the embedded server, and wait at most ``timeout`` seconds for its end.

    Return False if other processes still use it.
    """
    with _servers_lock:
        server = _servers.pop(settings.state_dir, None)
    return server is None or server.leave(timeout)


def _with_defaults(dsn: str) -> str:
    try:
        return make_conninfo(dsn, **_missing_defaults(dsn))
    except psycopg.ProgrammingError:
        # The message of libpq would repeat a part of the DSN.
        raise ConfigError(
            "DATABASE_URL cannot be read; it is not repeated here, because a password may stand in it. "
            "Give an address like postgresql://user:password@host:5432/hrims, with signs like @ / : % in "
            "the password written as %40 %2F %3A %25. Nothing was started."
        ) from None


def _missing_defaults(dsn: str) -> dict[str, Any]:
    options = conninfo_to_dict(dsn)
    return {name: value for name, value in CONNECTION_DEFAULTS.items() if name not in options}


def as_url(dsn: str) -> str:
    """Return the DSN as a URL that psql, psycopg and most other clients accept."""
    parts = {name: str(value) for name, value in conninfo_to_dict(dsn).items()}
    user, name = quote(parts.pop("user", "")), quote(parts.pop("dbname", ""))
    return f"postgresql://{user}{'@' if user else ''}/{name}?{urlencode(parts)}"


def owner_url(settings: Settings) -> str:
    """Return the DSN of the owner of the tables for psql and other clients."""
    return settings.owner_database_url or settings.database_url or as_url(owner_dsn_of(settings))


def reporting_url(settings: Settings) -> str:
    """Return the DSN of the reporting role of the embedded database. Raises ConfigError for another one."""
    if settings.database_url:
        raise ConfigError(
            "The reporting role of DATABASE_URL cannot sign in until you give it a password: "
            "ALTER ROLE … LOGIN PASSWORD …; docs/reference/audit.md has an example."
        )
    return as_url(_join(settings).reporting_dsn)


def connect(dsn: str, *, as_owner: bool = False, **options: Any) -> Connection:
    """Open a connection in autocommit mode, with the rights of the application role unless ``as_owner``.

    Raises OperationalError.
    """
    conn = psycopg.connect(dsn, autocommit=True, **options)
    try:
        detect_pooler(conn)
        if not as_owner:
            use_application_role(conn)
    except BaseException:
        conn.close()
        raise
    return conn


def detect_pooler(conn: Connection) -> None:
    """Detect whether the connection leads to Postgres directly or to a pooler.

    A pooler in transaction mode gives every transaction another session: prepared statements and LISTEN do
    not work.
    """
    before, conn.autocommit = conn.autocommit, True
    row = conn.execute(BACKEND_PID, prepare=False).fetchone()
    conn.autocommit = before
    _note_login(conn, row)


async def detect_pooler_async(conn: AsyncConnection) -> None:
    """Detect a pooler like ``detect_pooler``, for an asynchronous connection."""
    before = conn.autocommit
    await conn.set_autocommit(True)
    row = await (await conn.execute(BACKEND_PID, prepare=False)).fetchone()
    await conn.set_autocommit(before)
    _note_login(conn, row)


def _note_login(conn: Connection | AsyncConnection, process: TupleRow | None) -> None:
    # At login a pooler does not know yet which session will answer, so the process id that it reports is made
    # up.
    if process != (conn.info.backend_pid,):
        conn.prepare_threshold = None
    session_state.note_login(conn)


def set_privilege(conn: Connection | AsyncConnection) -> str:
    """Return the privilege that SET ROLE needs, for pg_has_role."""
    return "SET" if conn.info.server_version >= 160000 else "MEMBER"


def use_application_role(conn: Connection) -> None:
    """Drop the rights of the owner of the tables for this session, if it has them.

    Not behind a pooler, where the next client would inherit the role: there DATABASE_URL itself must name a
    user with few rights, and `hrims doctor` warns if it does not.
    """
    if not is_pooled(conn):
        before, conn.autocommit = conn.autocommit, True
        conn.execute(SET_ROLE.format(set_privilege(conn)).encode(), prepare=False)
        conn.autocommit = before


async def use_application_role_async(conn: AsyncConnection) -> None:
    """Drop the rights of the owner like ``use_application_role``."""
    if not is_pooled(conn):
        before = conn.autocommit
        await conn.set_autocommit(True)
        await conn.execute(SET_ROLE.format(set_privilege(conn)).encode(), prepare=False)
        await conn.set_autocommit(before)


def is_pooled(conn: Connection | AsyncConnection) -> bool:
    """Return whether a connection that this module opened leads to a pooler such as PgBouncer."""
    return conn.prepare_threshold is None


class Session(NamedTuple):
    """Another session of the server, without its query text. Fields that this role may not see are None."""

    pid: int
    """0 for a prepared transaction, which has no process."""

    program: str | None
    user: str | None
    state: str | None
    age: float | None
    """Seconds since its transaction began."""


def find_blockers(conn: Connection, pid: int) -> list[Session]:
    """Return the sessions that block ``pid``: they hold its lock, or wait for it earlier in the queue."""
    return [Session(*row) for row in conn.execute(BLOCKERS, (pid,)).fetchall()]


def int_array(numbers: Iterable[int]) -> str:
    """Return an array literal of integers. For a long array this is faster than psycopg."""
    return "{" + ",".join(map(str, numbers)) + "}"


def can_write(conn: Connection) -> bool:
    """Return whether the server accepts writes in this session now."""
    row = conn.execute("SHOW transaction_read_only").fetchone()
    return row == ("off",)


def use_snapshot(conn: Connection) -> None:
    """Let this transaction read from one snapshot. Call it before the transaction's first statement."""
    conn.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")


def statements(path: Path) -> dict[str, bytes]:
    """Return the statements of a ``.sql`` file by the names in its ``-- name: …`` lines."""
    parts = re.split(r"^-- name: (\w+)\n", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {name: sql.strip().encode() for name, sql in zip(parts[1::2], parts[2::2], strict=True)}
