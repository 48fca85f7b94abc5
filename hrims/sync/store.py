"""Checkpoint, progress and outcome of runs, in SQL; and runs as those see them who follow one.

Each function works inside its caller's transaction.
"""

from typing import Any

from psycopg.rows import class_row

from hrims.db import AsyncConnection, Connection
from hrims.employees.mapping import Reject
from hrims.errors import Fenced
from hrims.jobs.store import Attempt
from hrims.remote.wire import Page
from hrims.sync.progress import Run


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


async def saved_pages(conn: AsyncConnection, attempt: Attempt) -> tuple[set[int], int | None]:
    """The page numbers that are saved, and the remote's latest total."""
    rows = await conn.execute(
        "SELECT page_number FROM run_pages WHERE run_id = %s AND page_size = %s",
        (attempt.run_id, attempt.page_size),
    )
    saved = {number async for (number,) in rows}
    progress = await (
        await conn.execute("SELECT remote_total FROM run_progress WHERE run_id = %s", (attempt.run_id,))
    ).fetchone()
    return saved, progress[0] if progress else None


async def note(conn: AsyncConnection, attempt: Attempt, words: str) -> None:
    """Tells whoever watches what the attempt is waiting for."""
    await conn.execute(
        "UPDATE run_progress SET note = %s, updated_at = now() WHERE run_id = %s",
        (words, attempt.run_id),
    )


async def add_page(
    conn: AsyncConnection, attempt: Attempt, page: Page, ids: list[int], counts: dict[str, int]
) -> None:
    """Adds a page to the checkpoint and its counts to the progress."""
    await conn.execute(
        """
        WITH checkpoint AS (
            INSERT INTO run_pages
                (run_id, page_size, page_number, attempt, remote_total, records, people)
            VALUES (%(run)s, %(size)s, %(number)s, %(attempt)s, %(total)s, %(records)s, %(people)s)
        )
        UPDATE run_progress
        SET phase = 'fetching', current_page = %(number)s, remote_total = %(total)s,
            pages = pages + 1, fetched = fetched + %(records)s, saved = saved + %(saved)s,
            new = new + %(new)s, changed = changed + %(changed)s,
            unchanged = unchanged + %(unchanged)s, rejected = rejected + %(rejected)s,
            repeated = repeated + %(repeated)s, unmatched = unmatched + %(unmatched)s,
            fetch_ms = fetch_ms + %(fetch_ms)s, save_ms = save_ms + %(save_ms)s,
            note = NULL, updated_at = now()
        WHERE run_id = %(run)s
        """,
        {
            **counts,
            "run": attempt.run_id,
            "size": attempt.page_size,
            "number": page.number,
            "attempt": attempt.number,
            "total": page.total,
            "records": len(page.records),
            "people": ids,
        },
    )


async def add_rejects(
    conn: AsyncConnection, attempt: Attempt, page: Page, rejects: list[tuple[int, Reject]]
) -> None:
    """Keeps what could not be kept: where it stood and why."""
    if not rejects:
        return
    where = (attempt.run_id, attempt.page_size, page.number)
    async with conn.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO rejects (run_id, page_size, page_number, position, code, field, reason, masked)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
            [(*where, position, *reject) for position, reject in rejects],
        )


async def count(conn: AsyncConnection, attempt: Attempt) -> tuple[int, int, int, int, int, bool]:
    """(distinct people, rejected, repeated on their page, seen on a further page, remote's total, whether
    every page came with that total).
    """
    row = await (
        await conn.execute(
            """
            SELECT people.distinct_ones::int, p.rejected, p.repeated,
                   (people.all_of_them - people.distinct_ones)::int, coalesce(p.remote_total, 0),
                   NOT EXISTS (SELECT FROM run_pages q
                               WHERE q.run_id = p.run_id AND q.remote_total <> p.remote_total)
            FROM run_progress p
            CROSS JOIN (
                SELECT count(id) AS all_of_them, count(DISTINCT id) AS distinct_ones
                FROM run_pages, unnest(people) AS id WHERE run_id = %(run)s
            ) people
            WHERE p.run_id = %(run)s
            """,
            {"run": attempt.run_id},
        )
    ).fetchone()
    assert row is not None
    return row[0], row[1], row[2], row[3], row[4], row[5]


async def end(
    conn: AsyncConnection,
    attempt: Attempt,
    *,
    outcome: str,
    people: int,
    seen_twice: int,
    missing: int,
) -> None:
    """Ends the run as completed with its outcome, if this attempt still owns it, else raises Fenced."""
    ended = await conn.execute(
        """
        WITH done AS (
            UPDATE runs
            SET state = 'completed', outcome = %(outcome)s, finished_at = now(), people = %(people)s,
                seen_twice = %(seen_twice)s, missing = %(missing)s, trouble = NULL, trouble_code = NULL
            WHERE id = %(run)s AND attempt = %(number)s AND state = 'active'
            RETURNING id
        )
        UPDATE run_attempts a SET ended_at = now(), ended_as = 'finished'
        FROM done WHERE a.run_id = done.id AND a.number = %(number)s
        """,
        {
            "outcome": outcome,
            "people": people,
            "seen_twice": seen_twice,
            "missing": missing,
            "run": attempt.run_id,
            "number": attempt.number,
        },
    )
    if not ended.rowcount:
        raise Fenced("this attempt no longer owns its run; it saves nothing and ends nothing")


RUN = """
SELECT r.id, r.institution_id, i.name AS institution, r.identifier_type, r.identifier, r.page_size,
       r.state, r.outcome, r.attempt, r.requested_by, r.requested_at, r.started_at, r.finished_at,
       r.next_try_at, r.trouble, r.trouble_code, r.people, r.seen_twice, r.missing, p.phase,
       p.current_page, p.remote_total, p.pages, p.fetched, p.saved, p.new, p.changed, p.unchanged,
       p.rejected, p.repeated, p.unmatched, p.fetch_ms, p.save_ms, p.note,
       EXISTS (SELECT FROM procrastinate_workers w
               WHERE w.last_heartbeat > now() - interval '40 seconds') AS a_worker_lives
FROM runs r JOIN institutions i ON i.id = r.institution_id JOIN run_progress p ON p.run_id = r.id
"""


def read(conn: Connection, run_id: int) -> Run | None:
    """One run with its progress."""
    with conn.cursor(row_factory=class_row(Run)) as cursor:
        return cursor.execute(f"{RUN} WHERE r.id = %s".encode(), (run_id,)).fetchone()


def latest(conn: Connection, institution_id: int) -> Run | None:
    """The institution's latest run, which is the one under way if there is one."""
    with conn.cursor(row_factory=class_row(Run)) as cursor:
        return cursor.execute(
            f"{RUN} WHERE r.institution_id = %s ORDER BY r.id DESC LIMIT 1".encode(),
            (institution_id,),
        ).fetchone()


def recent(conn: Connection, most: int) -> list[Run]:
    """The latest runs of all institutions, newest first."""
    with conn.cursor(row_factory=class_row(Run)) as cursor:
        return cursor.execute(f"{RUN} ORDER BY r.id DESC LIMIT %s".encode(), (most,)).fetchall()


def first_people(conn: Connection, run_id: int, most: int) -> list[dict[str, Any]]:
    """The first people of a run, in the remote's order, as dicts of what a page or API shows."""
    rows = conn.execute(
        """
        SELECT e.zan_id, e.name, e.cadre, e.current_workplace, e.status, i.name
        FROM (
            SELECT p.page_size::bigint * p.page_number AS first_record, id, position
            FROM run_pages p, unnest(p.people) WITH ORDINALITY AS u(id, position)
            WHERE p.run_id = %s ORDER BY first_record, position LIMIT %s
        ) first
        JOIN employees e ON e.id = first.id
        LEFT JOIN institutions i ON i.id = e.institution_id
        ORDER BY first.first_record, first.position
        """,
        (run_id, most),
    )
    names = ("zanId", "name", "cadre", "workplace", "status", "institution")
    return [dict(zip(names, row, strict=True)) for row in rows]


def first_rejects(conn: Connection, run_id: int, most: int) -> list[dict[str, Any]]:
    """The first rejects of a run, in the remote's order: which record of the listing (from 1), the reason,
    and its masked ZanID if it has one.
    """
    rows = conn.execute(
        """
        SELECT page_size::bigint * page_number + position + 1 AS record, reason, masked
        FROM rejects WHERE run_id = %s ORDER BY record LIMIT %s
        """,
        (run_id, most),
    )
    return [dict(zip(("record", "reason", "masked"), row, strict=True)) for row in rows]
