"""SQL of the checkpoint, progress and outcome of runs.

Each function works inside its caller's transaction.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from hrims.db import AsyncConnection, int_array, statements
from hrims.drift.tally import Tally
from hrims.errors import StaleAttempt
from hrims.jobs.attempts.store import Attempt
from hrims.remote.wire import Page
from hrims.sync.progress import Progress

SUMS = statements(Path(__file__).with_name("sums.sql"))

FIRST, EDGES, SECOND, THIRD = 1, 2, 3, 4
"""The numbers of a run's passes. EDGES reads the edges between pages; the others read the whole list."""


class Ending(NamedTuple):
    """The end of a run: its outcome, the counts behind it, and a message why people are missing.

    total = people + rejected + listed_twice + missing; ``seen_twice`` counts all repeats, proven or not.
    """

    outcome: str
    total: int
    people: int
    rejected: int
    listed_twice: int
    seen_twice: int
    missing: int
    why: str | None


async def check_attempt(conn: AsyncConnection, attempt: Attempt) -> None:
    """Lock the run's row for this attempt until the transaction ends.

    Raises StaleAttempt if it is not the owner.
    """
    check = await pipeline_attempt_check(conn, attempt)
    await check()


async def pipeline_attempt_check(conn: AsyncConnection, attempt: Attempt) -> Callable[[], Awaitable[None]]:
    """Send the query of ``check_attempt`` and return the check, so that a pipeline can send more statements.

    Do not commit before the check has succeeded.
    """
    cursor = await conn.execute(
        "SELECT FROM runs WHERE id = %s AND attempt = %s AND state = 'active' FOR SHARE",
        (attempt.run_id, attempt.number),
    )

    async def check() -> None:
        if await cursor.fetchone() is None:
            raise StaleAttempt("this attempt no longer owns its run; it saves nothing and ends nothing")

    return check


class SavedPage(NamedTuple):
    """The positions of a saved page, and the digest of its people."""

    start: int
    stop: int
    fingerprint: bytes | None


async def saved_pages(
    conn: AsyncConnection, attempt: Attempt, reading: int
) -> tuple[list[SavedPage], int | None]:
    """Return the pages that are saved in this pass, and HRIMS' latest total."""
    rows = await conn.execute(
        """
        SELECT page_size::bigint * page_number, page_size::bigint * page_number + records, fingerprint
        FROM run_pages WHERE run_id = %s AND reading = %s ORDER BY 1
        """,
        (attempt.run_id, reading),
    )
    saved = [SavedPage(*row) async for row in rows]
    progress = await (
        await conn.execute("SELECT remote_total FROM run_progress WHERE run_id = %s", (attempt.run_id,))
    ).fetchone()
    return saved, progress[0] if progress else None


async def cheapest_pages(conn: AsyncConnection, attempt: Attempt, limit: int) -> list[tuple[int, int]]:
    """Return (size, number) of pages that HRIMS returned in this run, those with the fewest records first."""
    rows = await conn.execute(
        """
        SELECT page_size, page_number FROM run_pages WHERE run_id = %s
        ORDER BY people = '{}', records, page_number, reading LIMIT %s
        """,
        (attempt.run_id, limit),
    )
    return [(size, number) async for size, number in rows] or [(attempt.page_size, 0)]


async def readings(conn: AsyncConnection, attempt: Attempt) -> set[int]:
    """Return the passes of which pages are saved."""
    rows = await conn.execute("SELECT DISTINCT reading FROM run_pages WHERE run_id = %s", (attempt.run_id,))
    return {reading async for (reading,) in rows}


async def note(conn: AsyncConnection, attempt: Attempt, message: str, unsaved_total: int = 0) -> None:
    """Save what the attempt is waiting for, and how many records an unsaved response mentioned."""
    await conn.execute(
        "UPDATE run_progress SET note = %s, unsaved_total = greatest(unsaved_total, %s), updated_at = now()"
        " WHERE run_id = %s",
        (message, unsaved_total, attempt.run_id),
    )


async def add_page(
    conn: AsyncConnection,
    attempt: Attempt,
    page: Page,
    people: list[int],
    digests: list[int],
    fingerprint: bytes | None,
    counts: dict[str, int],
    reading: int,
    tally: Tally | None = None,
) -> Callable[[], Awaitable[Progress]]:
    """Add a page to the checkpoint and its counts to the progress.

    Records that a further pass meets again are not progress, but what it changes is. Return a function that
    reads the progress, to be called after the pipeline.
    """
    cursor = await conn.execute(
        """
        WITH checkpoint AS (
            INSERT INTO run_pages (run_id, reading, page_size, page_number, attempt, remote_total,
                                   records, people, record_digests, fingerprint, counts, sampled, odd)
            VALUES (%(run)s, %(reading)s, %(size)s, %(number)s, %(attempt)s, %(total)s,
                    %(records)s, %(people)s, %(digests)s, %(fingerprint)s, %(counts)s, %(sampled)s, %(odd)s)
        )
        UPDATE run_progress
        SET phase = %(phase)s, remote_total = %(total)s,
            pages = pages + 1, fetched = fetched + %(records)s,
            new = new + %(new)s, changed = changed + %(changed)s,
            saved = saved + %(first)s * %(saved)s, unchanged = unchanged + %(first)s * %(unchanged)s,
            rejected = rejected + %(first)s * %(rejected)s, repeated = repeated + %(first)s * %(repeated)s,
            unmatched = unmatched + %(first)s * %(unmatched)s,
            fetch_ms = fetch_ms + %(fetch_ms)s, save_ms = save_ms + %(save_ms)s,
            note = CASE WHEN %(first)s = 1 THEN NULL ELSE note END, updated_at = now()
        WHERE run_id = %(run)s
        RETURNING pages, saved, rejected, repeated, remote_total
        """,
        {
            **counts,
            "first": int(reading == 1),
            "phase": "saving" if attempt.kind == "apply" else "fetching",
            "run": attempt.run_id,
            "reading": reading,
            "size": page.size,
            "number": page.number,
            "attempt": attempt.number,
            "total": page.total,
            "people": int_array(people),
            "digests": int_array(digests),
            "fingerprint": fingerprint,
            "counts": tally and Jsonb(tally.counts()),
            "sampled": tally and tally.sampled,
            "odd": Jsonb(tally.odd) if tally and tally.odd else None,
        },
    )

    async def read() -> Progress:
        return Progress(*(await cursor.fetchone() or ()))

    return read


async def find_progress(conn: AsyncConnection, attempt: Attempt) -> Progress:
    """Return the counts of a run, and its duration if it has ended."""
    row = await (
        await conn.execute(
            """
            SELECT p.pages, p.saved, p.rejected, coalesce(r.seen_twice, p.repeated), p.remote_total,
                   r.missing, extract(epoch FROM r.finished_at - r.started_at)::float8
            FROM runs r JOIN run_progress p ON p.run_id = r.id WHERE r.id = %s
            """,
            (attempt.run_id,),
        )
    ).fetchone()
    return Progress(*(row or ()))


async def delete_empty_page(conn: AsyncConnection, attempt: Attempt, page: Page, reading: int) -> bool:
    """Delete a saved page without records, so that it can be saved with some.

    Return whether there was one.
    """
    deleted = await conn.execute(
        "DELETE FROM run_pages WHERE run_id = %s AND reading = %s AND page_size = %s AND page_number = %s"
        " AND records = 0",
        (attempt.run_id, reading, page.size, page.number),
    )
    return bool(deleted.rowcount)


class Counts(NamedTuple):
    """The counts of some passes together, as in ``reconcile.Reconciliation``.

    ``seen_twice`` counts the repeats of the first pass only.
    """

    people: int
    rejected: int
    seen_twice: int
    is_total_stable: bool
    is_contradicted: bool
    is_open_ended: bool


async def count(conn: AsyncConnection, attempt: Attempt, readings: list[int], total: int) -> Counts:
    """Count these passes together, against HRIMS' total."""
    is_list = attempt.kind in {"sync", "preview"}
    parameters = {"readings": readings, "edges": EDGES, "total": total, "single": not is_list}
    return Counts(*await _sum(conn, attempt, "count", parameters))


async def count_absent(conn: AsyncConnection, attempt: Attempt, readings: list[int]) -> int:
    """Return how many people these passes met and the first of them did not.

    People that a reject of the first pass explains do not count.
    """
    return int((await _sum(conn, attempt, "absent", {"readings": readings, "first": readings[0]}))[0])


async def edges_hold(conn: AsyncConnection, attempt: Attempt) -> bool:
    """Return whether the people around the edges are on the page where the first pass met them."""
    return bool((await _sum(conn, attempt, "edges_hold", {"first": FIRST, "edges": EDGES}))[0])


async def _sum(conn: AsyncConnection, attempt: Attempt, name: str, parameters: dict[str, Any]) -> TupleRow:
    row = await (await conn.execute(SUMS[name], {"run": attempt.run_id, **parameters})).fetchone()
    assert row is not None
    return row


async def seconds_of_reading(conn: AsyncConnection, attempt: Attempt) -> float:
    """Return the seconds since the first page of the run was saved."""
    row = await (
        await conn.execute(
            "SELECT coalesce(extract(epoch FROM now() - min(saved_at)), 0) FROM run_pages WHERE run_id = %s",
            (attempt.run_id,),
        )
    ).fetchone()
    assert row is not None
    return float(row[0])


async def end(conn: AsyncConnection, attempt: Attempt, ending: Ending, readings: tuple[int, ...]) -> None:
    """End the run as completed with its outcome. ``readings`` are the passes that were counted.

    Raises StaleAttempt if this attempt no longer owns the run.
    """
    parameters = {
        **ending._asdict(),
        "run": attempt.run_id,
        "number": attempt.number,
        "readings": list(readings),
    }
    ended = await conn.execute(SUMS["end_run"], parameters)
    if not ended.rowcount:
        raise StaleAttempt("this attempt no longer owns its run; it saves nothing and ends nothing")
    await conn.execute(SUMS["end_progress"], parameters)
    if attempt.kind != "preview":
        await conn.execute(SUMS["count_employees"], parameters)
