"""SQL of the page sizes that HRIMS gives. Each function works inside its caller's transaction."""

from typing import NamedTuple

from hrims.db import AsyncConnection
from hrims.jobs.attempts.store import Attempt
from hrims.sync.spans import Span
from hrims.sync.store import FIRST

MIN_SAVED_SIZE = 10
"""The smallest page size that later runs use. A smaller one is a fault of one list. Using it costs later runs
more than finding it again.
"""


class FirstRecord(NamedTuple):
    """The first record of a saved page that is not a reject: its page, and its position on the page."""

    page_size: int
    page_number: int
    position: int


async def fitted_page_size(conn: AsyncConnection, attempt: Attempt) -> int:
    """Return the page size of this run.

    It is the requested one, unless this or an earlier run found that it does not fit.
    """
    row = await (
        await conn.execute(
            "SELECT coalesce(fitted_page_size, page_size) FROM runs WHERE id = %s", (attempt.run_id,)
        )
    ).fetchone()
    assert row is not None
    return int(row[0])


async def use_known_size(conn: AsyncConnection, attempt: Attempt, base_url: str) -> None:
    """Let this run use the page size that an earlier run of the endpoint found, and save the reason."""
    await conn.execute(
        """
        UPDATE runs r
        SET fitted_page_size = least(greatest(r.page_size, k.smallest), k.largest),
            page_finding = coalesce(
                f.page_finding, format('HRIMS gives no pages of %%s records.', r.page_size))
        FROM remote_page_sizes k
        LEFT JOIN runs f ON f.id = k.found_run_id
        WHERE r.id = %s AND r.fitted_page_size IS NULL
          AND k.base_url = %s AND k.identifier_type = r.identifier_type
          AND least(greatest(r.page_size, k.smallest), k.largest) <> r.page_size
        """,
        (attempt.run_id, base_url),
    )


async def restart_pass(
    conn: AsyncConnection, attempt: Attempt, reading: int, size: int, finding: str
) -> None:
    """Set the page size of this run, and delete the saved pages of this pass.

    The people of those pages stay saved; the pass meets them again.
    """
    parameters = {"run": attempt.run_id, "reading": reading, "size": size, "finding": finding, "first": FIRST}
    await conn.execute(
        "UPDATE runs SET fitted_page_size = %(size)s, page_finding = %(finding)s WHERE id = %(run)s",
        parameters,
    )
    await conn.execute("DELETE FROM run_pages WHERE run_id = %(run)s AND reading = %(reading)s", parameters)
    await conn.execute(
        """
        UPDATE run_progress
        SET saved_before = greatest(saved_before, saved), fetched = 0, saved = 0, unchanged = 0, rejected = 0,
            repeated = 0, unmatched = 0, pages = 0, updated_at = now()
        WHERE run_id = %(run)s AND %(reading)s = %(first)s
        """,
        parameters,
    )


async def save_page_size(conn: AsyncConnection, attempt: Attempt, base_url: str) -> None:
    """Let later runs of the endpoint use the page size that this run found, if the run was complete with it.

    Each of them checks at its end whether the size still applies, see ``delete_page_size``.
    """
    await conn.execute(
        """
        INSERT INTO remote_page_sizes AS s (base_url, identifier_type, smallest, largest, found_run_id)
        SELECT %(url)s, r.identifier_type,
               CASE WHEN r.fitted_page_size > r.page_size THEN r.fitted_page_size END,
               CASE WHEN r.fitted_page_size <= r.page_size THEN r.fitted_page_size END, r.id
        FROM runs r
        WHERE r.id = %(run)s AND r.fitted_page_size >= %(least)s AND r.outcome <> 'incomplete'
        ON CONFLICT (base_url, identifier_type) DO UPDATE
        SET smallest = coalesce(
                EXCLUDED.smallest, CASE WHEN s.smallest <= EXCLUDED.largest THEN s.smallest END),
            largest = coalesce(
                EXCLUDED.largest, CASE WHEN s.largest >= EXCLUDED.smallest THEN s.largest END),
            found_at = now(), found_run_id = EXCLUDED.found_run_id
        WHERE coalesce(EXCLUDED.smallest, s.smallest) IS DISTINCT FROM s.smallest
           OR coalesce(EXCLUDED.largest, s.largest) IS DISTINCT FROM s.largest
        """,
        {"url": base_url, "run": attempt.run_id, "least": MIN_SAVED_SIZE},
    )


async def saved_people(conn: AsyncConnection, attempt: Attempt, reading: int) -> list[int]:
    """Return the employees of the saved pages of this pass, by their ids in ``run_pages.people``."""
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


async def full_pages(conn: AsyncConnection, attempt: Attempt, reading: int) -> list[tuple[Span, int]]:
    """Return the saved pages of this pass that held as many records as requested, each with its total."""
    rows = await conn.execute(
        "SELECT page_size, page_number, remote_total FROM run_pages"
        " WHERE run_id = %s AND reading = %s AND records = page_size",
        (attempt.run_id, reading),
    )
    return [(Span(size, number), total) async for size, number, total in rows]


async def delete_page_size(conn: AsyncConnection, attempt: Attempt, base_url: str) -> None:
    """Delete the page size that was found for the endpoint. Later runs use the page size of their request."""
    await conn.execute(
        "DELETE FROM remote_page_sizes k USING runs r"
        " WHERE r.id = %s AND k.base_url = %s AND k.identifier_type = r.identifier_type",
        (attempt.run_id, base_url),
    )
