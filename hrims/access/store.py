"""Users, sessions, failed sign-ins, shared secrets and the audit record, in SQL. Each function works inside
its caller's transaction. Tokens have a store of their own.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from hrims.db import Connection

AT_ONCE = 1000
"""Old rows deleted in passing, at most, so that nobody's sign-in waits for a large clean-up."""


class User(NamedTuple):
    """A row of the users."""

    id: int
    name: str
    role: str
    password_hash: str
    disabled: bool


# The audit record


def add_audit(
    conn: Connection, actor: Any, action: str, subject: str | None, details: dict[str, Any]
) -> None:
    """Adds one row to the audit record."""
    conn.execute(
        "INSERT INTO audit_log (actor, via, address, action, subject, details)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (actor.name, actor.via, actor.address, action, subject, Jsonb(details)),
    )


# Users


def lock_users(conn: Connection) -> None:
    """Lets nobody else add a user until this transaction ends."""
    conn.execute("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE")


def any_user(conn: Connection) -> bool:
    """Whether there is a user at all."""
    row = conn.execute("SELECT EXISTS (SELECT FROM users)").fetchone()
    return bool(row and row[0])


def insert_user(conn: Connection, name: str, role: str, password_hash: str) -> int | None:
    """Adds a user; None when the name is taken."""
    row = conn.execute(
        "INSERT INTO users (name, role, password_hash) VALUES (%s, %s, %s)"
        " ON CONFLICT (name) DO NOTHING RETURNING id",
        (name, role, password_hash),
    ).fetchone()
    return row[0] if row else None


def user(conn: Connection, name: str) -> User | None:
    """The user of this name."""
    row = conn.execute(
        "SELECT id, name, role, password_hash, disabled_at IS NOT NULL FROM users WHERE name = %s", (name,)
    ).fetchone()
    return User(*row) if row else None


def hold_unchanged(conn: Connection, user: User) -> bool:
    """Whether password and leave to sign in are still as they were read; they stay so until this
    transaction ends.
    """
    row = conn.execute(
        "SELECT FROM users WHERE id = %s AND password_hash = %s AND disabled_at IS NULL FOR SHARE",
        (user.id, user.password_hash),
    ).fetchone()
    return row is not None


def update_password(conn: Connection, user_id: int, password_hash: str) -> None:
    """Keeps another password of a user."""
    conn.execute("UPDATE users SET password_hash = %s WHERE id = %s", (password_hash, user_id))


def hold_enabled(conn: Connection, name: str) -> int | None:
    """Return the id of a user who may sign in, held so until the transaction ends; None if there is none."""
    row = conn.execute(
        "SELECT id FROM users WHERE name = %s AND disabled_at IS NULL FOR SHARE", (name,)
    ).fetchone()
    return row[0] if row else None


def disable_user(conn: Connection, user_id: int) -> bool:
    """Disable a user; False if that was done before.

    Raises psycopg.errors.CheckViolation for the last enabled administrator.
    """
    return bool(
        conn.execute(
            "UPDATE users SET disabled_at = now() WHERE id = %s AND disabled_at IS NULL", (user_id,)
        ).rowcount
    )


def enable_user(conn: Connection, user_id: int) -> bool:
    """Enable a user; False if the user is enabled."""
    return bool(
        conn.execute(
            "UPDATE users SET disabled_at = NULL WHERE id = %s AND disabled_at IS NOT NULL", (user_id,)
        ).rowcount
    )


class ListedUser(NamedTuple):
    """A user as a list shows it."""

    name: str
    role: str
    created_at: datetime
    signed_in_at: datetime | None
    disabled_at: datetime | None


def users(conn: Connection) -> list[ListedUser]:
    """Return all users by name, with their last sign-in."""
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
    """Adds a session that ends after so many hours."""
    conn.execute(
        "INSERT INTO sessions (token_hash, user_id, address, expires_at)"
        " VALUES (%s, %s, %s, now() + make_interval(secs => %s))",
        (token_hash, user_id, address, hours * 3600),
    )


def session_user(conn: Connection, token_hash: bytes) -> tuple[int, str, str] | None:
    """Id, name and role of whoever this session signs in; None when it ended or the user is disabled."""
    return conn.execute(
        "SELECT u.id, u.name, u.role FROM sessions s JOIN users u ON u.id = s.user_id"
        " WHERE s.token_hash = %s AND s.expires_at > now() AND u.disabled_at IS NULL",
        (token_hash,),
    ).fetchone()


def delete_session(conn: Connection, token_hash: bytes) -> str | None:
    """Ends a session; returns the name of its user, None when there was no such session."""
    row = conn.execute(
        "DELETE FROM sessions s USING users u WHERE s.token_hash = %s AND u.id = s.user_id RETURNING u.name",
        (token_hash,),
    ).fetchone()
    return row[0] if row else None


def delete_sessions_of(conn: Connection, user_id: int) -> int:
    """Ends every session of a user; returns how many."""
    return conn.execute("DELETE FROM sessions WHERE user_id = %s", (user_id,)).rowcount


def revoke_tokens_of(conn: Connection, user_id: int) -> int:
    """Revoke the tokens for which a user answers; return how many."""
    return conn.execute(
        "UPDATE tokens SET revoked_at = now() WHERE owner_id = %s AND revoked_at IS NULL", (user_id,)
    ).rowcount


def delete_expired_sessions(conn: Connection) -> None:
    """Clears away sessions that have ended. Rows that another sign-in clears just now are left to it."""
    conn.execute(
        "DELETE FROM sessions WHERE token_hash IN (SELECT token_hash FROM sessions"
        " WHERE expires_at <= now() LIMIT %s FOR UPDATE SKIP LOCKED)",
        (AT_ONCE,),
    )


# Failed sign-ins

NAME, ADDRESS = 0x4E414D45, 0x41444452  # "NAME", "ADDR": the two kinds of locks of a sign-in


def lock_sign_ins(conn: Connection, name: str, address: str | None) -> None:
    """Lets no other sign-in with this name or from this address be counted until this one is.

    Always the name first, so that two sign-ins cannot wait for one another in a ring.
    """
    conn.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (NAME, name))
    if address:
        conn.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (ADDRESS, address))


def nth_latest_failure(
    conn: Connection, window: timedelta, *, name: str | None = None, address: str | None = None, nth: int
) -> datetime | None:
    """When the nth latest failure within the window was, by name or by address; None when fewer were."""
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
    """Seconds from now, by the database's clock."""
    row = conn.execute("SELECT extract(epoch FROM %s::timestamptz - now())::float8", (at,)).fetchone()
    assert row is not None
    return float(row[0])


def insert_failure(conn: Connection, name: str, address: str | None) -> int:
    """Counts a failed sign-in; returns its id."""
    row = conn.execute(
        "INSERT INTO failed_sign_ins (name, address) VALUES (%s, %s) RETURNING id", (name, address)
    ).fetchone()
    assert row is not None
    return int(row[0])


def delete_failure(conn: Connection, id_: int) -> None:
    """Takes one count back."""
    conn.execute("DELETE FROM failed_sign_ins WHERE id = %s", (id_,))


def delete_old_failures(conn: Connection, window: timedelta) -> None:
    """Clears away what no longer counts."""
    conn.execute(
        "DELETE FROM failed_sign_ins WHERE id IN (SELECT id FROM failed_sign_ins"
        " WHERE at <= now() - %s::interval LIMIT %s FOR UPDATE SKIP LOCKED)",
        (window, AT_ONCE),
    )


# Shared secrets


def secret(conn: Connection, name: str, fresh: str) -> str:
    """The secret of this name; ``fresh`` becomes it if there is none. All who ask get the same one."""
    conn.execute(
        "INSERT INTO app_secrets (name, value) VALUES (%s, %s) ON CONFLICT DO NOTHING", (name, fresh)
    )
    row = conn.execute("SELECT value FROM app_secrets WHERE name = %s", (name,)).fetchone()
    assert row is not None
    return str(row[0])
