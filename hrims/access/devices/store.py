"""SQL of known devices. Each function runs inside its caller's transaction."""

from hrims.access.store import MAX_DELETED
from hrims.db import Connection


def find(conn: Connection, user_id: int, token_hash: bytes) -> int | None:
    """Return the id of a known device of a user; None if there is none."""
    row = conn.execute(
        "SELECT id FROM known_devices WHERE user_id = %s AND token_hash = %s AND expires_at > now()",
        (user_id, token_hash),
    ).fetchone()
    return row[0] if row else None


def save(conn: Connection, user_id: int, token_hash: bytes, days: int) -> None:
    """Add a known device of a user, or prolong it."""
    conn.execute(
        "INSERT INTO known_devices (user_id, token_hash, expires_at)"
        " VALUES (%s, %s, now() + make_interval(days => %s))"
        " ON CONFLICT (user_id, token_hash) DO UPDATE SET expires_at = excluded.expires_at",
        (user_id, token_hash, days),
    )


def delete_oldest(conn: Connection, user_id: int, limit: int) -> None:
    """Delete the known devices of a user that were used before the ``limit`` latest."""
    conn.execute(
        "DELETE FROM known_devices WHERE id IN (SELECT id FROM known_devices WHERE user_id = %s"
        " ORDER BY expires_at DESC, id DESC OFFSET %s FOR UPDATE SKIP LOCKED)",
        (user_id, limit),
    )


def delete_others(conn: Connection, user_id: int, keep: bytes | None) -> None:
    """Delete the known devices of a user except that with the hash ``keep``."""
    conn.execute(
        "DELETE FROM known_devices WHERE user_id = %s AND token_hash IS DISTINCT FROM %s::bytea",
        (user_id, keep),
    )


def delete_expired(conn: Connection) -> None:
    """Delete known devices that have expired. Skip rows that another transaction is deleting."""
    conn.execute(
        "DELETE FROM known_devices WHERE id IN (SELECT id FROM known_devices"
        " WHERE expires_at <= now() LIMIT %s FOR UPDATE SKIP LOCKED)",
        (MAX_DELETED,),
    )
