"""SQL on the saved pages of a pass. Each function works inside its caller's transaction."""

from hrims.db import AsyncConnection
from hrims.jobs.attempts.store import Attempt


async def last_digest(conn: AsyncConnection, attempt: Attempt, reading: int) -> int | None:
    """Return the digest of the last record of a pass; None if its last record is a reject."""
    row = await (
        await conn.execute(
            """
            SELECT CASE WHEN NOT EXISTS (
                SELECT FROM rejects r
                WHERE r.run_id = p.run_id AND r.reading = p.reading AND r.page_size = p.page_size
                  AND r.page_number = p.page_number AND r.position = p.records - 1)
                THEN record_digests[cardinality(record_digests)] END
            FROM run_pages p WHERE run_id = %s AND reading = %s AND records > 0
            ORDER BY page_size::bigint * page_number DESC LIMIT 1
            """,
            (attempt.run_id, reading),
        )
    ).fetchone()
    return row[0] if row else None


async def last_page_has_people(conn: AsyncConnection, attempt: Attempt, reading: int) -> bool:
    """Return whether the last page of a pass that holds records holds one that is not a reject."""
    row = await (
        await conn.execute(
            "SELECT people <> '{}' FROM run_pages WHERE run_id = %s AND reading = %s AND records > 0"
            " ORDER BY page_size::bigint * page_number DESC LIMIT 1",
            (attempt.run_id, reading),
        )
    ).fetchone()
    return bool(row and row[0])


async def count_digests(conn: AsyncConnection, attempt: Attempt, reading: int, digests: list[int]) -> int:
    """Return how many of these record digests the saved pages of this pass hold."""
    row = await (
        await conn.execute(
            """
            SELECT count(*) FROM unnest(%s::bigint[]) AS wanted(digest)
            WHERE digest IN (SELECT unnest(record_digests) FROM run_pages WHERE run_id = %s AND reading = %s)
            """,
            (digests, attempt.run_id, reading),
        )
    ).fetchone()
    assert row is not None
    return int(row[0])
