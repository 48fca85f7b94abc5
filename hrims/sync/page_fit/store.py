"""Page sizes that HRIMS gives, in SQL. Each function works inside its caller's transaction."""

from typing import NamedTuple

from hrims.db import AsyncConnection
from hrims.jobs.attempts.store import Attempt
from hrims.sync.store import FIRST

VALID_DAYS = 30
"""Days for which runs use a page size that an earlier run found. HRIMS may be changed meanwhile."""


class FirstRecord(NamedTuple):
    """Where the first record of a saved page stands that is no reject: its page, its position on it."""

    page_size: int
    page_number: int
    position: int


async def fitted_page_size(conn: AsyncConnection, attempt: Attempt, base_url: str) -> int:
    """Return the page size of this run: the requested one, unless this or an earlier run found that it does
    not fit.
    """
    row = await (
        await conn.execute(
            """
            SELECT coalesce(r.fitted_page_size, least(greatest(r.page_size, k.smallest), k.largest))
            FROM runs r
            LEFT JOIN remote_page_sizes k ON k.base_url = %s AND k.identifier_type = r.identifier_type
                AND k.found_at > now() - make_interval(days => %s)
            WHERE r.id = %s
            """,
            (base_url, VALID_DAYS, attempt.run_id),
        )
    ).fetchone()
    assert row is not None
    return int(row[0])


async def restart_pass(
    conn: AsyncConnection, attempt: Attempt, reading: int, size: int, finding: str
) -> None:
    """Set the page size of this run, and forget the saved pages of this pass.

    The people of those pages stay saved; the pass meets them again.
    """
    given = {"run": attempt.run_id, "reading": reading, "size": size, "finding": finding, "first": FIRST}
    await conn.execute(
        "UPDATE runs SET fitted_page_size = %(size)s, page_finding = %(finding)s WHERE id = %(run)s", given
    )
    await conn.execute("DELETE FROM run_pages WHERE run_id = %(run)s AND reading = %(reading)s", given)
    await conn.execute(
        """
        UPDATE run_progress
        SET saved_before = greatest(saved_before, saved), fetched = 0, saved = 0, unchanged = 0, rejected = 0,
            repeated = 0, unmatched = 0, pages = 0, updated_at = now()
        WHERE run_id = %(run)s AND %(reading)s = %(first)s
        """,
        given,
    )


async def keep_page_size(conn: AsyncConnection, attempt: Attempt, base_url: str) -> None:
    """Let later runs of the endpoint use the page size that this run found, if it was complete with it.

    The other limit stays if it is valid and fits to the new one. Both are then as old as the older one, so
    that finding one limit never prolongs the other.
    """
    await conn.execute(
        """
        WITH found AS (
            SELECT r.identifier_type, r.id,
                   CASE WHEN r.fitted_page_size > r.page_size THEN r.fitted_page_size END AS smallest,
                   CASE WHEN r.fitted_page_size <= r.page_size THEN r.fitted_page_size END AS largest
            FROM runs r
            WHERE r.id = %(run)s AND r.fitted_page_size IS NOT NULL AND r.outcome <> 'incomplete'
        ), other AS (
            SELECT CASE WHEN s.smallest <= f.largest THEN s.smallest END AS smallest,
                   CASE WHEN s.largest >= f.smallest THEN s.largest END AS largest, s.found_at
            FROM found f
            JOIN remote_page_sizes s ON s.base_url = %(url)s AND s.identifier_type = f.identifier_type
                AND s.found_at > now() - make_interval(days => %(days)s)
        )
        INSERT INTO remote_page_sizes AS s
            (base_url, identifier_type, smallest, largest, found_at, found_run_id)
        SELECT %(url)s, f.identifier_type, coalesce(f.smallest, o.smallest), coalesce(f.largest, o.largest),
               CASE WHEN coalesce(o.smallest, o.largest) IS NULL THEN now() ELSE o.found_at END, f.id
        FROM found f LEFT JOIN other o ON true
        ON CONFLICT (base_url, identifier_type) DO UPDATE
        SET smallest = EXCLUDED.smallest, largest = EXCLUDED.largest, found_at = EXCLUDED.found_at,
            found_run_id = EXCLUDED.found_run_id
        """,
        {"url": base_url, "run": attempt.run_id, "days": VALID_DAYS},
    )


async def saved_people(conn: AsyncConnection, attempt: Attempt, reading: int) -> list[int]:
    """Return the employees of the saved pages of this pass, as ``run_pages.people`` names them."""
    rows = await conn.execute(
        "SELECT unnest(people) FROM run_pages WHERE run_id = %s AND reading = %s", (attempt.run_id, reading)
    )
    return [id_ async for (id_,) in rows]


async def first_records(
    conn: AsyncConnection, attempt: Attempt, reading: int, people: list[int]
) -> list[FirstRecord]:
    """Return the first record of each of the two largest pages that hold one of these people."""
    rows = await conn.execute(
        """
        SELECT p.page_size, p.page_number, (
            SELECT min(position) FROM generate_series(0, p.records - 1) AS position
            WHERE NOT EXISTS (
                SELECT FROM rejects r
                WHERE r.run_id = p.run_id AND r.reading = p.reading AND r.page_size = p.page_size
                  AND r.page_number = p.page_number AND r.position = position.position))
        FROM run_pages p
        WHERE p.run_id = %s AND p.reading = %s AND p.people && %s::bigint[]
        ORDER BY p.page_size DESC, p.page_number DESC LIMIT 2
        """,
        (attempt.run_id, reading, people),
    )
    return [FirstRecord(*row) async for row in rows]
