"""Checkpoint, progress and outcome of runs, in SQL. Each function works inside its caller's transaction."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from hrims.db import AsyncConnection, int_array, statements
from hrims.drift.tally import Tally
from hrims.errors import Fenced
from hrims.jobs.attempts.store import Attempt
from hrims.remote.wire import Page

SUMS = statements(Path(__file__).with_name("sums.sql"))

FIRST, EDGES, SECOND, THIRD = 1, 2, 3, 4
"""The readings of a run; at most three of them are made. All but EDGES are whole ones."""


class Ending(NamedTuple):
    """How a run ends: its outcome, the sum behind it, and why somebody is missing, in words.

    total = people + rejected + repeated + missing; ``seen_twice`` are all who were, proven or not.
    """

    outcome: str
    total: int
    people: int
    rejected: int
    repeated: int
    seen_twice: int
    missing: int
    why: str | None


async def check_fence(conn: AsyncConnection, attempt: Attempt) -> None:
    """Holds the run's row for this attempt until the transaction ends, or raises Fenced."""
    check = await ask_fence(conn, attempt)
    await check()


async def ask_fence(conn: AsyncConnection, attempt: Attempt) -> Callable[[], Awaitable[None]]:
    """Asks as ``check_fence`` does; the check itself comes back, so that more can travel with the question.
    Until it was made nothing may be kept.
    """
    asked = await conn.execute(
        "SELECT FROM runs WHERE id = %s AND attempt = %s AND state = 'active' FOR SHARE",
        (attempt.run_id, attempt.number),
    )

    async def check() -> None:
        if await asked.fetchone() is None:
            raise Fenced("this attempt no longer owns its run; it saves nothing and ends nothing")

    return check


class SavedPage(NamedTuple):
    """The positions of a saved page, and the digest of whom it holds."""

    start: int
    stop: int
    fingerprint: bytes | None


async def saved_pages(
    conn: AsyncConnection, attempt: Attempt, reading: int
) -> tuple[list[SavedPage], int | None]:
    """The pages that are saved in this reading, and the remote's latest total."""
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


async def cheapest_pages(conn: AsyncConnection, attempt: Attempt, most: int) -> list[tuple[int, int]]:
    """(size, number) of pages that HRIMS gave in this run, those with the fewest records first."""
    rows = await conn.execute(
        """
        SELECT page_size, page_number FROM run_pages WHERE run_id = %s
        ORDER BY people = '{}', records, page_number, reading LIMIT %s
        """,
        (attempt.run_id, most),
    )
    return [(size, number) async for size, number in rows] or [(attempt.page_size, 0)]


async def readings(conn: AsyncConnection, attempt: Attempt) -> set[int]:
    """The readings of which pages are saved."""
    rows = await conn.execute("SELECT DISTINCT reading FROM run_pages WHERE run_id = %s", (attempt.run_id,))
    return {reading async for (reading,) in rows}


async def note(conn: AsyncConnection, attempt: Attempt, words: str, unsaved_total: int = 0) -> None:
    """Tell what the attempt is waiting for, and how many records an answer spoke of that was not saved."""
    await conn.execute(
        "UPDATE run_progress SET note = %s, unsaved_total = greatest(unsaved_total, %s), updated_at = now()"
        " WHERE run_id = %s",
        (words, unsaved_total, attempt.run_id),
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
) -> None:
    """Adds a page to the checkpoint and its counts to the progress: what a further reading meets again
    is no progress, but what it changes is.
    """
    await conn.execute(
        """
        WITH checkpoint AS (
            INSERT INTO run_pages (run_id, reading, page_size, page_number, attempt, remote_total,
                                   records, people, record_digests, fingerprint, counts, sampled, odd)
            VALUES (%(run)s, %(reading)s, %(size)s, %(number)s, %(attempt)s, %(total)s,
                    %(records)s, %(people)s, %(digests)s, %(fingerprint)s, %(counts)s, %(sampled)s, %(odd)s)
        )
        UPDATE run_progress
        SET phase = %(phase)s, current_page = %(number)s, remote_total = %(total)s,
            pages = pages + 1, fetched = fetched + %(records)s,
            new = new + %(new)s, changed = changed + %(changed)s,
            saved = saved + %(first)s * %(saved)s, unchanged = unchanged + %(first)s * %(unchanged)s,
            rejected = rejected + %(first)s * %(rejected)s, repeated = repeated + %(first)s * %(repeated)s,
            unmatched = unmatched + %(first)s * %(unmatched)s,
            fetch_ms = fetch_ms + %(fetch_ms)s, save_ms = save_ms + %(save_ms)s,
            note = CASE WHEN %(first)s = 1 THEN NULL ELSE note END, updated_at = now()
        WHERE run_id = %(run)s
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


async def delete_empty_page(conn: AsyncConnection, attempt: Attempt, page: Page, reading: int) -> bool:
    """Delete a saved page without records, so that it can be saved with some. Return whether it was there."""
    deleted = await conn.execute(
        "DELETE FROM run_pages WHERE run_id = %s AND reading = %s AND page_size = %s AND page_number = %s"
        " AND records = 0",
        (attempt.run_id, reading, page.size, page.number),
    )
    return bool(deleted.rowcount)


class Counts(NamedTuple):
    """The counts of some readings together, as ``reconcile.Sum`` has them; ``repeats`` are of the first
    alone.
    """

    people: int
    rejected: int
    repeats: int
    steady: bool
    contradicted: bool
    open_ended: bool


async def count(conn: AsyncConnection, attempt: Attempt, readings: list[int], total: int) -> Counts:
    """Count these readings together, against the remote's total."""
    is_list = attempt.kind in {"sync", "preview"}
    given = {"readings": readings, "edges": EDGES, "total": total, "single": not is_list}
    return Counts(*await _sum(conn, attempt, "count", given))


async def absent(conn: AsyncConnection, attempt: Attempt, readings: list[int]) -> int:
    """How many people these readings met whom the first of them did not, and of whom it has no reject."""
    return int((await _sum(conn, attempt, "absent", {"readings": readings, "first": readings[0]}))[0])


async def edges_hold(conn: AsyncConnection, attempt: Attempt) -> bool:
    """Whether the people around the edges stand on the page on which the first reading met them."""
    return bool((await _sum(conn, attempt, "edges_hold", {"first": FIRST, "edges": EDGES}))[0])


async def _sum(conn: AsyncConnection, attempt: Attempt, name: str, given: dict[str, Any]) -> TupleRow:
    row = await (await conn.execute(SUMS[name], {"run": attempt.run_id, **given})).fetchone()
    assert row is not None
    return row


async def seconds_of_reading(conn: AsyncConnection, attempt: Attempt) -> float:
    """From the first page that was saved to now."""
    row = await (
        await conn.execute(
            "SELECT coalesce(extract(epoch FROM now() - min(saved_at)), 0) FROM run_pages WHERE run_id = %s",
            (attempt.run_id,),
        )
    ).fetchone()
    assert row is not None
    return float(row[0])


async def end(conn: AsyncConnection, attempt: Attempt, ending: Ending, readings: tuple[int, ...]) -> None:
    """End the run as completed with its outcome. ``readings`` are those that were counted.

    Raises Fenced if this attempt no longer owns the run.
    """
    given = {
        **ending._asdict(),
        "run": attempt.run_id,
        "number": attempt.number,
        "readings": list(readings),
    }
    ended = await conn.execute(SUMS["end_run"], given)
    if not ended.rowcount:
        raise Fenced("this attempt no longer owns its run; it saves nothing and ends nothing")
    await conn.execute(SUMS["end_progress"], given)
    if attempt.kind != "preview":
        await conn.execute(SUMS["count_employees"], given)
