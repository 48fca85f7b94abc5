"""SQL of users, sessions, failed sign-ins, shared secrets and the audit record.

Each function runs inside its caller's transaction. ``tokens.store`` has the SQL of tokens.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from hrims.db import Connection

MAX_DELETED = 1000
"""Maximum number of old rows that one call deletes, so that no sign-in waits for a large clean-up."""


class User(NamedTuple):
    """A row of the table ``users``."""

    id: int
    name: str
    role: str
    password_hash: str
    disabled: bool


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


# Users


def lock_users(conn: Connection) -> None:
    """Prevent other transactions from adding a user until this one ends."""
    conn.execute("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE")


def has_users(conn: Connection) -> bool:
    """Return whether there is at least one user."""
    row = conn.execute("SELECT EXISTS (SELECT FROM users)").fetchone()
    return bool(row and row[0])


def insert_user(conn: Connection, name: str, role: str, password_hash: str) -> int | None:
    """Add a user and return its id; None if the name is taken."""
    row = conn.execute(
        "INSERT INTO users (name, role, password_hash) VALUES (%s, %s, %s)"
        " ON CONFLICT (name) DO NOTHING RETURNING id",
        (name, role, password_hash),
    ).fetchone()
    return row[0] if row else None


def find_user(conn: Connection, name: str) -> User | None:
    """Return the user with this name; None if there is none."""
    row = conn.execute(
        "SELECT id, name, role, password_hash, disabled_at IS NOT NULL FROM users WHERE name = %s", (name,)
    ).fetchone()
    return User(*row) if row else None


def lock_if_unchanged(conn: Connection, user: User) -> bool:
    """Lock a user. Return whether the user is still enabled and the password unchanged since it was read.

    The lock keeps both as they are until the transaction ends.
    """
    row = conn.execute(
        "SELECT FROM users WHERE id = %s AND password_hash = %s AND disabled_at IS NULL FOR SHARE",
        (user.id, user.password_hash),
    ).fetchone()
    return row is not None


def update_password(conn: Connection, user_id: int, password_hash: str) -> None:
    """Save another password hash of a user."""
    conn.execute("UPDATE users SET password_hash = %s WHERE id = %s", (password_hash, user_id))


def lock_enabled_user(conn: Connection, name: str) -> int | None:
    """Lock an enabled user until the transaction ends, and return the id; None if there is none."""
    row = conn.execute(
        "SELECT id FROM users WHERE name = %s AND disabled_at IS NULL FOR SHARE", (name,)
    ).fetchone()
    return row[0] if row else None


def disable_user(conn: Connection, user_id: int) -> bool:
    """Disable a user. Return False if the user was disabled already.

    Raises psycopg.errors.CheckViolation for the last enabled administrator.
    """
    return bool(
        conn.execute(
            "UPDATE users SET disabled_at = now() WHERE id = %s AND disabled_at IS NULL", (user_id,)
        ).rowcount
    )


def enable_user(conn: Connection, user_id: int) -> bool:
    """Enable a user. Return False if the user was enabled already."""
    return bool(
        conn.execute(
            "UPDATE users SET disabled_at = NULL WHERE id = %s AND disabled_at IS NOT NULL", (user_id,)
        ).rowcount
    )


class ListedUser(NamedTuple):
    """A user in a list."""

    name: str
    role: str
    created_at: datetime
    signed_in_at: datetime | None
    disabled_at: datetime | None


def list_users(conn: Connection) -> list[ListedUser]:
    """Return all users ordered by name, with their last sign-in."""
    rows = conn.execute(
        """
        SELECT u.name, u.role, u.created_at, a.at, u.disabled_at
        FROM users u
        LEFT JOIN LATERAL (
            SELECT at FROM audit_log WHERE subject = 'user:' || u.name AND action = 'session.sign_in'
            ORDER BY id DESC LIMIT 1
        ) a ON true
        ORDER BY u.name
        """
    )
    return [ListedUser(*row) for row in rows]


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


def find_session_user(conn: Connection, token_hash: bytes) -> tuple[int, str, str] | None:
    """Return id, name and role of a session's user; None if it has ended or the user is disabled."""
    return conn.execute(
        "SELECT u.id, u.name, u.role FROM sessions s JOIN users u ON u.id = s.user_id"
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
    """Revoke the tokens that a user owns. Return how many."""
    return conn.execute(
        "UPDATE tokens SET revoked_at = now() WHERE owner_id = %s AND revoked_at IS NULL", (user_id,)
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
