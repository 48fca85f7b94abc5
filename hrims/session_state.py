"""Whether a session can write. Input: a connection. Output: what PostgreSQL has reported to it.

Nothing here needs a round trip.
"""

import time
import weakref
from typing import Any

import psycopg

READ_ONLY_SECONDS = 1.0
"""Seconds for which a read-only session is used after its login.

Later a new session replaces it: the server may accept writes again, or a multi-host DSN may lead to another
server.
"""

AnyConnection = psycopg.Connection[Any] | psycopg.AsyncConnection[Any]

_logins: "weakref.WeakKeyDictionary[AnyConnection, tuple[float, bool]]" = weakref.WeakKeyDictionary()


def note_login(conn: AnyConnection) -> None:
    """Record when a session began, and whether it was read-only then."""
    _logins[conn] = time.monotonic(), is_read_only(conn)


def login_of(conn: AnyConnection) -> float:
    """Return when a session began, by the monotonic clock; minus infinity if that is unknown."""
    return _logins.get(conn, (float("-inf"), False))[0]


def is_read_only(conn: AnyConnection) -> bool:
    """Return whether PostgreSQL's last report says that this session cannot write.

    PostgreSQL 14 and later report both parameters on each change. A pooler in transaction mode reports
    neither, or those of another session.
    """
    if conn.closed or conn.prepare_threshold is None:
        return False
    reported = conn.info.parameter_status
    return "on" in {reported("default_transaction_read_only"), reported("in_hot_standby")}


def must_close(conn: AnyConnection) -> bool:
    """Return whether a session that returns to its pool is read-only, or was at its login.

    Its server is a standby, or was promoted or demoted, or its default may not change until the session ends.
    """
    _, was_read_only = _logins.get(conn, (0.0, False))
    return not conn.closed and (was_read_only or is_read_only(conn))


def is_stale(conn: AnyConnection) -> bool:
    """Return whether a session is read-only and too old to be used again."""
    login, _ = _logins.get(conn, (float("-inf"), False))
    return is_read_only(conn) and time.monotonic() - login > READ_ONLY_SECONDS
