"""SQL of the sessions of browsers. Each function runs inside its caller's transaction."""

from datetime import datetime
from typing import Any, NamedTuple

from hrims.access.store import MAX_DELETED
from hrims.db import Connection

IS_VALID = "s.expires_at > now() AND s.last_seen_at > now() - s.idle_limit"
"""The condition under which a session ``s`` has not ended."""


def insert_session(
    conn: Connection,
    token_hash: bytes,
    user_id: int,
    address: str | None,
    user_agent: str | None,
    hours: float,
    idle_minutes: float,
) -> None:
    """Add a session that ends after ``hours`` hours, or after ``idle_minutes`` minutes without a request."""
    conn.execute(
        "INSERT INTO sessions (token_hash, user_id, address, user_agent, expires_at, idle_limit)"
        " VALUES (%s, %s, %s, %s, now() + make_interval(secs => %s), make_interval(secs => %s))",
        (token_hash, user_id, address, user_agent, hours * 3600, idle_minutes * 60),
    )


FIND_USER = f"""
SELECT u.id, u.name, u.role, scope_of(u.id), s.id, u.must_change_password,
       extract(epoch FROM now() - s.confirmed_at)::float8, s.last_seen_at <= now() - interval '1 minute'
FROM sessions s JOIN users u ON u.id = s.user_id
WHERE s.token_hash = %s AND {IS_VALID} AND u.disabled_at IS NULL
"""  # noqa: S608 - a constant


def find_user(conn: Connection, token_hash: bytes) -> tuple[Any, ...] | None:
    """Return the user and the state of a session; None if it has ended or the user is disabled."""
    return conn.execute(FIND_USER.encode(), (token_hash,)).fetchone()


def touch(conn: Connection, session_id: int, address: str | None) -> None:
    """Record that a session is used now, unless another request is recording it."""
    conn.execute(
        "UPDATE sessions SET last_seen_at = now(), address = coalesce(%s, address)"
        " WHERE id = (SELECT id FROM sessions WHERE id = %s FOR NO KEY UPDATE SKIP LOCKED)",
        (address, session_id),
    )


def confirm(conn: Connection, session_id: int) -> None:
    """Save that the user of a session was authenticated now."""
    conn.execute("UPDATE sessions SET confirmed_at = now() WHERE id = %s", (session_id,))


def replace_token(conn: Connection, session_id: int, token_hash: bytes) -> bool:
    """Save another token of a session, which counts as authenticated now. Return False if it has ended."""
    return bool(
        conn.execute(
            "UPDATE sessions SET token_hash = %s, confirmed_at = now() WHERE id = %s",
            (token_hash, session_id),
        ).rowcount
    )


class ListedSession(NamedTuple):
    """A session in the list of its user."""

    id: int
    address: str | None
    user_agent: str | None
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime


LIST = f"""
SELECT s.id, host(s.address), s.user_agent, s.created_at, s.last_seen_at, s.expires_at
FROM sessions s WHERE s.user_id = %s AND {IS_VALID} ORDER BY s.last_seen_at DESC, s.id DESC
"""  # noqa: S608 - a constant


def list_sessions(conn: Connection, user_id: int) -> list[ListedSession]:
    """Return the sessions of a user that have not ended, the last used first."""
    return [ListedSession(*row) for row in conn.execute(LIST.encode(), (user_id,))]


def delete_by_token(conn: Connection, token_hash: bytes) -> str | None:
    """Delete a session. Return the name of its user; None if there is no such session."""
    row = conn.execute(
        "DELETE FROM sessions s USING users u WHERE s.token_hash = %s AND u.id = s.user_id RETURNING u.name",
        (token_hash,),
    ).fetchone()
    return row[0] if row else None


def delete_by_id(conn: Connection, user_id: int, session_id: int) -> bool:
    """Delete a session of a user. Return False if there is none."""
    return bool(
        conn.execute("DELETE FROM sessions WHERE user_id = %s AND id = %s", (user_id, session_id)).rowcount
    )


def delete_others(conn: Connection, user_id: int, keep: int | None) -> int:
    """Delete every session of a user except ``keep``. Return how many."""
    return conn.execute(
        "DELETE FROM sessions WHERE user_id = %s AND id IS DISTINCT FROM %s::bigint", (user_id, keep)
    ).rowcount


def delete_expired(conn: Connection) -> None:
    """Delete sessions that have ended. Skip rows that another transaction is deleting."""
    conn.execute(
        "DELETE FROM sessions WHERE token_hash IN (SELECT token_hash FROM sessions"
        " WHERE expires_at <= now() LIMIT %s FOR UPDATE SKIP LOCKED)",
        (MAX_DELETED,),
    )
