"""SQL of sessions, failed sign-ins, shared secrets and the audit record.

Each function runs inside its caller's transaction. ``users.store`` has the SQL of users, ``tokens.store``
that of tokens.
"""

from datetime import datetime, timedelta
from typing import Any

from psycopg.types.json import Jsonb

from hrims.db import Connection

MAX_DELETED = 1000
"""Maximum number of old rows that one call deletes, so that no sign-in waits for a large clean-up."""


# The audit record


def add_audit(
    conn: Connection, actor: Any, action: str, subject: str | None, details: dict[str, Any]
) -> None:
    """Add one row to the audit record."""
    conn.execute(
        "INSERT INTO audit_log (actor, via, address, action, subject, details)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (actor.name, actor.via, actor.address, action, subject, Jsonb(details)),
    )


# Sessions


def insert_session(
    conn: Connection, token_hash: bytes, user_id: int, address: str | None, hours: float
) -> None:
    """Add a session that ends after ``hours`` hours."""
    conn.execute(
        "INSERT INTO sessions (token_hash, user_id, address, expires_at)"
        " VALUES (%s, %s, %s, now() + make_interval(secs => %s))",
        (token_hash, user_id, address, hours * 3600),
    )


def find_session_user(conn: Connection, token_hash: bytes) -> tuple[int, str, str, list[int] | None] | None:
    """Return id, name, role and institutions of a session's user.

    Return None if it has ended or the user is disabled.
    """
    return conn.execute(
        "SELECT u.id, u.name, u.role, scope_of(u.id) FROM sessions s JOIN users u ON u.id = s.user_id"
        " WHERE s.token_hash = %s AND s.expires_at > now() AND u.disabled_at IS NULL",
        (token_hash,),
    ).fetchone()


def delete_session(conn: Connection, token_hash: bytes) -> str | None:
    """Delete a session. Return the name of its user; None if there is no such session."""
    row = conn.execute(
        "DELETE FROM sessions s USING users u WHERE s.token_hash = %s AND u.id = s.user_id RETURNING u.name",
        (token_hash,),
    ).fetchone()
    return row[0] if row else None


def delete_sessions_of(conn: Connection, user_id: int) -> int:
    """Delete every session of a user. Return how many."""
    return conn.execute("DELETE FROM sessions WHERE user_id = %s", (user_id,)).rowcount


def revoke_tokens_of(conn: Connection, user_id: int) -> int:
    """Revoke the tokens of a user. Return how many."""
    return conn.execute(
        "UPDATE tokens SET revoked_at = now() WHERE user_id = %s AND revoked_at IS NULL", (user_id,)
    ).rowcount


def delete_expired_sessions(conn: Connection) -> None:
    """Delete expired sessions. Skip rows that another transaction is deleting."""
    conn.execute(
        "DELETE FROM sessions WHERE token_hash IN (SELECT token_hash FROM sessions"
        " WHERE expires_at <= now() LIMIT %s FOR UPDATE SKIP LOCKED)",
        (MAX_DELETED,),
    )


# Failed sign-ins

NAME, ADDRESS = 0x4E414D45, 0x41444452  # "NAME", "ADDR": namespaces of a sign-in's two advisory locks


def lock_sign_ins(conn: Connection, name: str, address: str | None) -> None:
    """Block other sign-ins with this name or from this address until the transaction ends.

    Lock the name first in every transaction, so that two sign-ins cannot deadlock.
    """
    conn.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (NAME, name))
    if address:
        conn.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (ADDRESS, address))


def nth_latest_failure(
    conn: Connection, window: timedelta, *, name: str | None = None, address: str | None = None, nth: int
) -> datetime | None:
    """Return the time of the nth latest failure in the window, by name or address; None if there is none."""
    row = conn.execute(
        """
        SELECT at FROM failed_sign_ins
        WHERE (name = %(name)s OR address = %(address)s::inet) AND at > now() - %(window)s::interval
        ORDER BY at DESC OFFSET %(skip)s LIMIT 1
        """,
        {"name": name, "address": address, "window": window, "skip": nth - 1},
    ).fetchone()
    return row[0] if row else None


def seconds_until(conn: Connection, at: datetime) -> float:
    """Return the seconds from now until ``at``, by the clock of the database."""
    row = conn.execute("SELECT extract(epoch FROM %s::timestamptz - now())::float8", (at,)).fetchone()
    assert row is not None
    return float(row[0])


def insert_failure(conn: Connection, name: str, address: str | None) -> int:
    """Record a failed sign-in. Return its id."""
    row = conn.execute(
        "INSERT INTO failed_sign_ins (name, address) VALUES (%s, %s) RETURNING id", (name, address)
    ).fetchone()
    assert row is not None
    return int(row[0])


def delete_failure(conn: Connection, id_: int) -> None:
    """Delete one recorded failure."""
    conn.execute("DELETE FROM failed_sign_ins WHERE id = %s", (id_,))


def delete_old_failures(conn: Connection, window: timedelta) -> None:
    """Delete failures from before the window, which no longer count."""
    conn.execute(
        "DELETE FROM failed_sign_ins WHERE id IN (SELECT id FROM failed_sign_ins"
        " WHERE at <= now() - %s::interval LIMIT %s FOR UPDATE SKIP LOCKED)",
        (window, MAX_DELETED),
    )


# Shared secrets


def ensure_secret(conn: Connection, name: str, default: str) -> str:
    """Return the secret with this name. Save ``default`` if there is none. All callers get the same value."""
    conn.execute(
        "INSERT INTO app_secrets (name, value) VALUES (%s, %s) ON CONFLICT DO NOTHING", (name, default)
    )
    row = conn.execute("SELECT value FROM app_secrets WHERE name = %s", (name,)).fetchone()
    assert row is not None
    return str(row[0])
