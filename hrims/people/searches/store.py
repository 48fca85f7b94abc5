"""Kept searches, in SQL. Each function works inside its caller's transaction."""

from hrims.db import Connection


def insert(conn: Connection, token_hash: bytes, user: str, words: str, minutes: int, most: int) -> None:
    """Add a search of a user; delete those that expired, and the oldest beyond ``most``."""
    # The user's row is locked, so that two searches at once do not both find room.
    conn.execute("SELECT FROM users WHERE name = %s FOR NO KEY UPDATE", (user,))
    conn.execute(
        "INSERT INTO people_searches (token_hash, user_id, words, expires_at)"
        " SELECT %s, id, %s, clock_timestamp() + make_interval(mins => %s) FROM users WHERE name = %s",
        (token_hash, words, minutes, user),
    )
    conn.execute(
        """
        DELETE FROM people_searches s USING users u
        WHERE u.name = %(user)s AND s.user_id = u.id AND (s.expires_at <= now() OR s.token_hash IN (
            SELECT token_hash FROM people_searches WHERE user_id = u.id
            ORDER BY expires_at DESC OFFSET %(most)s))
        """,
        {"user": user, "most": most},
    )


def words(conn: Connection, token_hash: bytes, user: str) -> str | None:
    """Return the words of a user's search that has not expired."""
    row = conn.execute(
        "SELECT s.words FROM people_searches s JOIN users u ON u.id = s.user_id"
        " WHERE s.token_hash = %s AND u.name = %s AND s.expires_at > now()",
        (token_hash, user),
    ).fetchone()
    return row[0] if row else None
