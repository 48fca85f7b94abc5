"""SQL of set-up links. Each function runs inside its caller's transaction."""

from hrims.db import Connection


def lock_enabled_user(conn: Connection, user_id: int) -> str | None:
    """Lock an enabled user until the transaction ends, and return the name; None if there is none."""
    row = conn.execute(
        "SELECT name FROM users WHERE id = %s AND disabled_at IS NULL FOR UPDATE", (user_id,)
    ).fetchone()
    return row[0] if row else None


def insert_link(conn: Connection, token_hash: bytes, user_id: int, hours: int) -> None:
    """Add a link that expires after ``hours`` hours."""
    conn.execute(
        "INSERT INTO setup_links (token_hash, user_id, expires_at)"
        " VALUES (%s, %s, now() + make_interval(hours => %s))",
        (token_hash, user_id, hours),
    )


def delete_links_of(conn: Connection, user_id: int) -> None:
    """Delete every link of a user."""
    conn.execute("DELETE FROM setup_links WHERE user_id = %s", (user_id,))


def find_name(conn: Connection, token_hash: bytes) -> str | None:
    """Return the name of the enabled user of a link; None if there is none."""
    row = conn.execute(
        "SELECT u.name FROM setup_links l JOIN users u ON u.id = l.user_id"
        " WHERE l.token_hash = %s AND l.expires_at > now() AND u.disabled_at IS NULL",
        (token_hash,),
    ).fetchone()
    return row[0] if row else None


def take_link(conn: Connection, token_hash: bytes) -> int | None:
    """Delete a link. Return the id of its enabled user, who is locked; None if there is no such link."""
    row = conn.execute(
        "SELECT u.id FROM setup_links l JOIN users u ON u.id = l.user_id"
        " WHERE l.token_hash = %s AND l.expires_at > now() AND u.disabled_at IS NULL FOR UPDATE OF u",
        (token_hash,),
    ).fetchone()
    if row is None:
        return None
    # Another request may have taken it while this one waited for the lock.
    taken = conn.execute("DELETE FROM setup_links WHERE token_hash = %s", (token_hash,)).rowcount
    return row[0] if taken else None
