"""SQL of the challenges of two-step sign-in. Each function runs inside its caller's transaction."""

from hrims.access.store import MAX_DELETED
from hrims.access.users.store import User
from hrims.db import Connection


def insert(conn: Connection, token_hash: bytes, user: User, minutes: int) -> None:
    """Add a challenge that expires after ``minutes`` minutes."""
    conn.execute(
        "INSERT INTO sign_in_challenges (token_hash, user_id, password_hash, expires_at)"
        " VALUES (%s, %s, %s, now() + make_interval(mins => %s))",
        (token_hash, user.id, user.password_hash, minutes),
    )


def find_name(conn: Connection, token_hash: bytes) -> str | None:
    """Return the name of the user of a challenge, enabled and unchanged; None if there is none."""
    row = conn.execute(
        "SELECT u.name FROM sign_in_challenges c"
        " JOIN users u ON u.id = c.user_id AND u.password_hash = c.password_hash"
        " WHERE c.token_hash = %s AND c.expires_at > now() AND u.disabled_at IS NULL",
        (token_hash,),
    ).fetchone()
    return row[0] if row else None


def delete(conn: Connection, token_hash: bytes) -> bool:
    """Delete a challenge. Return False if there is none."""
    return bool(conn.execute("DELETE FROM sign_in_challenges WHERE token_hash = %s", (token_hash,)).rowcount)


def delete_expired(conn: Connection) -> None:
    """Delete challenges that have expired. Skip rows that another transaction is deleting."""
    conn.execute(
        "DELETE FROM sign_in_challenges WHERE token_hash IN (SELECT token_hash FROM sign_in_challenges"
        " WHERE expires_at <= now() LIMIT %s FOR UPDATE SKIP LOCKED)",
        (MAX_DELETED,),
    )
