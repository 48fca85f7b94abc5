"""SQL for saved searches. Each function works inside its caller's transaction."""

from hrims.db import Connection


def insert_search(
    conn: Connection, token_hash: bytes, user: str, text: str, minutes: int, limit: int
) -> None:
    """Add a search of a user. Delete the expired searches of the user, and the oldest beyond ``limit``."""
    # Lock the user's row, so that two concurrent searches cannot both exceed the limit.
    conn.execute("SELECT FROM users WHERE name = %s FOR NO KEY UPDATE", (user,))
    conn.execute(
        "INSERT INTO people_searches (token_hash, user_id, words, expires_at)"
        " SELECT %s, id, %s, clock_timestamp() + make_interval(mins => %s) FROM users WHERE name = %s",
        (token_hash, text, minutes, user),
    )
    conn.execute(
        """
        DELETE FROM people_searches s USING users u
        WHERE u.name = %(user)s AND s.user_id = u.id AND (s.expires_at <= now() OR s.token_hash IN (
            SELECT token_hash FROM people_searches WHERE user_id = u.id
            ORDER BY expires_at DESC OFFSET %(limit)s))
        """,
        {"user": user, "limit": limit},
    )


def find_text(conn: Connection, token_hash: bytes, user: str) -> str | None:
    """Return the text of a search of this user that has not expired, or None."""
    row = conn.execute(
        "SELECT s.words FROM people_searches s JOIN users u ON u.id = s.user_id"
        " WHERE s.token_hash = %s AND u.name = %s AND s.expires_at > now()",
        (token_hash, user),
    ).fetchone()
    return row[0] if row else None
