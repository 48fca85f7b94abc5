"""Checkpoint, progress and outcome of runs, in SQL. Each function works inside its caller's transaction."""

from typing import NamedTuple

from hrims.db import AsyncConnection
from hrims.employees.mapping import Reject
from hrims.errors import Fenced
from hrims.jobs.store import Attempt
from hrims.remote.wire import Page


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
    row = await (
        await conn.execute(
            "SELECT FROM runs WHERE id = %s AND attempt = %s AND state = 'active' FOR SHARE",
            (attempt.run_id, attempt.number),
        )
    ).fetchone()
    if row is None:
        raise Fenced("this attempt no longer owns its run; it saves nothing and ends nothing")


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


async def cheapest_page(conn: AsyncConnection, attempt: Attempt) -> tuple[int, int]:
    """(size, number) of the page with the fewest records that HRIMS gave in this run."""
    row = await (
        await conn.execute(
            """
            SELECT page_size, page_number FROM run_pages WHERE run_id = %s
            ORDER BY people = '{}', records, page_number LIMIT 1
            """,
            (attempt.run_id,),
        )
    ).fetchone()
    return (row[0], row[1]) if row else (attempt.page_size, 0)


async def readings(conn: AsyncConnection, attempt: Attempt) -> set[int]:
    """The readings of which pages are saved."""
    rows = await conn.execute("SELECT DISTINCT reading FROM run_pages WHERE run_id = %s", (attempt.run_id,))
    return {reading async for (reading,) in rows}


async def note(conn: AsyncConnection, attempt: Attempt, words: str) -> None:
    """Tells whoever watches what the attempt is waiting for."""
    await conn.execute(
        "UPDATE run_progress SET note = %s, updated_at = now() WHERE run_id = %s",
        (words, attempt.run_id),
    )


async def add_page(
    conn: AsyncConnection,
    attempt: Attempt,
    page: Page,
    ids: list[int],
    fingerprint: bytes | None,
    counts: dict[str, int],
    reading: int,
) -> None:
    """Adds a page to the checkpoint and its counts to the progress: what a further reading meets again
    is no progress, but what it changes is.
    """
    await conn.execute(
        """
        WITH checkpoint AS (
            INSERT INTO run_pages (run_id, reading, page_size, page_number, attempt, remote_total,
                                   records, people, fingerprint)
            VALUES (%(run)s, %(reading)s, %(size)s, %(number)s, %(attempt)s, %(total)s,
                    %(records)s, %(people)s, %(fingerprint)s)
        )
        UPDATE run_progress
        SET phase = 'fetching', current_page = %(number)s, remote_total = %(total)s,
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
            "run": attempt.run_id,
            "reading": reading,
            "size": page.size,
            "number": page.number,
            "attempt": attempt.number,
            "total": page.total,
            "people": ids,
            "fingerprint": fingerprint,
        },
    )


async def add_rejects(
    conn: AsyncConnection, attempt: Attempt, page: Page, rejects: list[tuple[int, Reject]], reading: int
) -> None:
    """Keeps what could not be kept: where it stood and why."""
    if not rejects:
        return
    where = (attempt.run_id, reading, page.size, page.number)
    async with conn.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO rejects"
            " (run_id, reading, page_size, page_number, position, code, field, reason, masked)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
            [(*where, position, *reject) for position, reject in rejects],
        )


async def count(
    conn: AsyncConnection, attempt: Attempt, readings: list[int], total: int
) -> tuple[int, int, int, int, bool]:
    """(distinct people, rejected, repeated on their page, seen on a further page, whether every page came
    with this total) of these readings; the middle three of the first of them alone.
    """
    row = await (
        await conn.execute(COUNT, {"run": attempt.run_id, "readings": readings, "total": total})
    ).fetchone()
    assert row is not None
    return row[0], row[1], row[2], row[3], row[4]


COUNT = """
WITH pages AS (
    SELECT reading, records, people, remote_total FROM run_pages
    WHERE run_id = %(run)s AND reading = ANY(%(readings)s)
), first AS (
    SELECT coalesce(sum(records), 0)::int AS records, coalesce(sum(cardinality(people)), 0)::int AS met
    FROM pages WHERE reading = (%(readings)s::int[])[1]
), rejected AS (
    SELECT count(*)::int AS ones FROM rejects
    WHERE run_id = %(run)s AND reading = (%(readings)s::int[])[1]
)
SELECT (SELECT count(DISTINCT id)::int FROM pages, unnest(people) AS id),
       rejected.ones, first.records - first.met - rejected.ones,
       first.met - (SELECT count(DISTINCT id)::int FROM pages, unnest(people) AS id
                    WHERE reading = (%(readings)s::int[])[1]),
       NOT EXISTS (SELECT FROM pages WHERE remote_total <> %(total)s)
FROM first, rejected
"""


async def same_people(conn: AsyncConnection, attempt: Attempt, one: int, other: int) -> bool:
    """Whether two readings met the same people, each as often, and as many rejects."""
    row = await (
        await conn.execute(
            """
            WITH met AS (
                SELECT reading, array_agg(id ORDER BY id) AS people
                FROM run_pages LEFT JOIN unnest(people) AS id ON true
                WHERE run_id = %(run)s AND reading IN (%(one)s, %(other)s) GROUP BY reading
            )
            SELECT count(DISTINCT people) = 1 AND count(*) = 2
                   AND (SELECT count(*) FROM rejects WHERE run_id = %(run)s AND reading = %(one)s)
                     = (SELECT count(*) FROM rejects WHERE run_id = %(run)s AND reading = %(other)s)
            FROM met
            """,
            {"run": attempt.run_id, "one": one, "other": other},
        )
    ).fetchone()
    assert row is not None
    return bool(row[0])


async def end(conn: AsyncConnection, attempt: Attempt, ending: Ending) -> None:
    """Ends the run as completed with its outcome, if this attempt still owns it, else raises Fenced."""
    given = {**ending._asdict(), "run": attempt.run_id, "number": attempt.number}
    ended = await conn.execute(
        """
        WITH done AS (
            UPDATE runs
            SET state = 'completed', outcome = %(outcome)s, finished_at = now(), people = %(people)s,
                seen_twice = %(seen_twice)s, missing = %(missing)s, trouble = %(why)s, trouble_code = NULL
            WHERE id = %(run)s AND attempt = %(number)s AND state = 'active'
            RETURNING id
        )
        UPDATE run_attempts a SET ended_at = now(), ended_as = 'finished'
        FROM done WHERE a.run_id = done.id AND a.number = %(number)s
        """,
        given,
    )
    if not ended.rowcount:
        raise Fenced("this attempt no longer owns its run; it saves nothing and ends nothing")
    await conn.execute(
        """
        UPDATE run_progress
        SET saved = %(people)s, rejected = %(rejected)s, repeated = %(repeated)s, remote_total = %(total)s,
            unchanged = greatest(%(people)s - new - changed, 0), note = NULL, updated_at = now()
        WHERE run_id = %(run)s
        """,
        given,
    )
