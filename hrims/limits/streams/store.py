"""SQL of the event streams. Each function runs inside its caller's transaction."""

from hrims.db import Connection


def lock_owner(conn: Connection, owner: str) -> None:
    """Lock the streams of an owner until the end of the transaction."""
    conn.execute("SELECT pg_advisory_xact_lock(hashtextextended('hrims event streams ' || %s, 0))", (owner,))


def delete_expired(conn: Connection, seconds: float) -> None:
    """Delete the streams of all owners that were not refreshed for so long."""
    conn.execute(
        """
        DELETE FROM event_streams WHERE id IN (
            SELECT id FROM event_streams WHERE seen_at < now() - make_interval(secs => %s)
            FOR UPDATE SKIP LOCKED)
        """,
        (seconds,),
    )


def insert_stream(conn: Connection, owner: str, limit: int) -> int | None:
    """Insert a stream and return its number; None if the owner has ``limit`` of them."""
    row = conn.execute(
        """
        INSERT INTO event_streams (owner)
        SELECT %(owner)s WHERE (SELECT count(*) FROM event_streams WHERE owner = %(owner)s) < %(limit)s
        RETURNING id
        """,
        {"owner": owner, "limit": limit},
    ).fetchone()
    return row[0] if row else None


def refresh_stream(conn: Connection, number: int, owner: str) -> None:
    """Refresh a stream. One that had expired meanwhile counts again."""
    conn.execute(
        """
        INSERT INTO event_streams (id, owner) VALUES (%s, %s)
        ON CONFLICT (id) DO UPDATE SET seen_at = now()
        """,
        (number, owner),
    )


def delete_stream(conn: Connection, number: int) -> None:
    """Delete a stream."""
    conn.execute("DELETE FROM event_streams WHERE id = %s", (number,))
