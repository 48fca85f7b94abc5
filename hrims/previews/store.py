"""Keeps previews apart from employees, and works out what they would change. All SQL of this room.

Functions named ``async`` serve the worker, the others web and command line. Each works inside its
caller's transaction.
"""

from pathlib import Path
from typing import Any, NamedTuple

from hrims.db import AsyncConnection, Connection, statements
from hrims.employees.absence import ABSENCE
from hrims.employees.mapping import COLUMNS, Reject, Row
from hrims.employees.store import DATES
from hrims.errors import PreviewGone
from hrims.jobs.attempts.store import Attempt
from hrims.previews.difference import Difference, Preview, entry
from hrims.remote.wire import Page

SQL = statements(Path(__file__).with_name("difference.sql"))
SQL["difference"] += b"\n" + ABSENCE["absent"]

SWEEP = statements(Path(__file__).with_name("sweep.sql"))

COUNT = SQL["difference"] + b"\n" + SQL["count"]

STAGED_TYPES = ["int8", "int2", "int4", "int4", "int4"] + ["date" if c in DATES else "text" for c in COLUMNS]

STAGE = (
    f"COPY preview_people (run_id, reading, page_size, page_number, position, {', '.join(COLUMNS)})"
    " FROM STDIN (FORMAT binary)"
).encode()

OF_PAGE = (
    f"SELECT position, {', '.join(COLUMNS)} FROM preview_people"  # noqa: S608 - our own names
    " WHERE run_id = %s AND reading = %s AND page_size = %s AND page_number = %s ORDER BY position"
).encode()


class StagedPage(NamedTuple):
    """A page of a preview as it was fetched: rows and rejects by position."""

    total: int
    fingerprint: bytes | None
    rows: list[tuple[int, Row]]
    rejects: list[tuple[int, Reject]]


def number_of(zan_id: str) -> int:
    """What stands for a person in the checkpoint of a preview, where no employees.id is known: a number
    that no other ZanID has, leading zeros kept.
    """
    return int("1" + zan_id)


async def stage(
    conn: AsyncConnection, attempt: Attempt, page: Page, rows: list[tuple[int, Row]], reading: int
) -> None:
    """Keeps the people of a page that is in the checkpoint."""
    where = (attempt.run_id, reading, page.size, page.number)
    async with conn.cursor() as cursor, cursor.copy(STAGE) as copy:
        copy.set_types(STAGED_TYPES)
        for position, row in rows:
            await copy.write_row((*where, position, *row))


async def conclude(conn: AsyncConnection, run_id: int) -> None:
    """At a preview's end: what it would change now, as counts of its progress and as its version."""
    found = await difference_later(conn, run_id)
    await conn.execute("UPDATE runs SET version = %s WHERE id = %s", (found.version, run_id))
    await conn.execute(
        "UPDATE run_progress SET new = %s, changed = %s, unchanged = %s, unmatched = %s WHERE run_id = %s",
        (found.new, found.changed, found.unchanged, found.unmatched, run_id),
    )


async def difference_later(conn: AsyncConnection, run_id: int) -> Difference:
    """The same as ``difference``, for the worker."""
    await conn.execute(SQL["plan_by_index"])
    row = await (await conn.execute(COUNT, {"run": run_id})).fetchone()
    assert row is not None
    return Difference(*row)


def difference(conn: Connection, run_id: int) -> Difference:
    """What a preview would change, against the employees as they are now."""
    conn.execute(SQL["plan_by_index"])
    row = conn.execute(COUNT, {"run": run_id}).fetchone()
    assert row is not None
    return Difference(*row)


def entries(conn: Connection, run_id: int, kind: str, most: int, skip: int = 0) -> list[dict[str, Any]]:
    """Rows of one of KINDS, from the ``skip``-th on, in a steady order."""
    name = kind if kind in {"missing", "unmatched", "rejected"} else "people"
    statement = SQL[name] if name == "rejected" else SQL["difference"] + b"\n" + SQL[name]
    given = {"run": run_id, "kind": kind, "most": most, "skip": skip}
    return [entry(kind, row) for row in conn.execute(statement, given)]


PREVIEW = """
SELECT r.id, r.version, r.emptied_at, r.emptied_why, a.id, a.state,
       (SELECT max(o.id) FROM runs o
        WHERE o.institution_id = r.institution_id AND o.kind <> 'preview' AND o.finished_at > r.finished_at)
FROM runs r LEFT JOIN runs a ON a.of_run_id = r.id AND a.kind = 'apply'
WHERE r.id = %s AND r.kind = 'preview'
"""


def read(conn: Connection, run_id: int) -> Preview | None:
    """A preview; None when this run is none."""
    row = conn.execute(PREVIEW, (run_id,)).fetchone()
    return Preview(*row) if row else None


def hold(conn: Connection, run_id: int) -> None:
    """Nobody else decides on this preview until the transaction ends."""
    conn.execute("SELECT FROM runs WHERE id = %s FOR NO KEY UPDATE", (run_id,))


def approve(conn: Connection, run_id: int, version: str) -> None:
    """Notes which difference the run shall apply."""
    conn.execute("UPDATE runs SET version = %s WHERE id = %s AND kind = 'apply'", (version, run_id))


def empty(conn: Connection, run_id: int, why: str) -> None:
    """Gives a preview's people up; ``sweep`` deletes them."""
    conn.execute(SWEEP["empty"], {"run": run_id, "why": why})


async def applied(conn: AsyncConnection, run_id: int) -> None:
    """Gives up the people of a preview that is applied; ``sweep`` deletes them."""
    await conn.execute(SWEEP["empty"], {"run": run_id, "why": "applied"})


async def is_outrun(conn: AsyncConnection, attempt: Attempt) -> bool:
    """Whether the list of the preview that this run applies was read again since the preview ended."""
    row = await (
        await conn.execute(
            """
            SELECT EXISTS (
                SELECT FROM runs p JOIN runs o ON o.institution_id = p.institution_id
                    AND o.identifier_type = p.identifier_type AND o.finished_at > p.finished_at
                WHERE p.id = %s AND o.id <> %s AND o.kind IN ('sync', 'apply') AND o.state = 'completed')
            """,
            (attempt.of_run_id, attempt.run_id),
        )
    ).fetchone()
    assert row is not None
    return bool(row[0])


async def approved(conn: AsyncConnection, attempt: Attempt) -> tuple[str | None, bool]:
    """The version that this apply may apply, and whether it has begun to."""
    row = await (
        await conn.execute(
            "SELECT version, EXISTS (SELECT FROM run_pages WHERE run_id = runs.id) FROM runs WHERE id = %s",
            (attempt.run_id,),
        )
    ).fetchone()
    assert row is not None
    return row[0], row[1]


async def pages_to_apply(conn: AsyncConnection, attempt: Attempt) -> list[tuple[int, int, int]]:
    """(reading, size, number) of the preview's pages that are not applied yet, as they were saved."""
    rows = await conn.execute(
        """
        SELECT reading, page_size, page_number FROM run_pages p
        WHERE run_id = %s AND NOT EXISTS (
            SELECT FROM run_pages a WHERE a.run_id = %s AND a.reading = p.reading
              AND a.page_size = p.page_size AND a.page_number = p.page_number)
        ORDER BY saved_at, reading, page_size::bigint * page_number
        """,
        (attempt.of_run_id, attempt.run_id),
    )
    return [(reading, size, number) async for reading, size, number in rows]


async def staged_page(
    conn: AsyncConnection, preview_id: int, reading: int, size: int, number: int
) -> StagedPage:
    """A page of a preview. Raises PreviewGone when its people are no longer kept."""
    where = (preview_id, reading, size, number)
    page = await (
        await conn.execute(
            """
            SELECT p.remote_total, p.fingerprint, cardinality(p.people), r.emptied_at IS NULL
            FROM run_pages p JOIN runs r ON r.id = p.run_id
            WHERE p.run_id = %s AND p.reading = %s AND p.page_size = %s AND p.page_number = %s
            """,
            where,
        )
    ).fetchone()
    rows = [(row[0], Row(*row[1:])) async for row in await conn.execute(OF_PAGE, where)]
    if page is None or not page[3] or page[2] != len(rows):
        raise PreviewGone
    found = await conn.execute(
        "SELECT position, code, field, reason, masked FROM rejects"
        " WHERE run_id = %s AND reading = %s AND page_size = %s AND page_number = %s ORDER BY position",
        where,
    )
    rejects = [(position, Reject(*reject)) async for position, *reject in found]
    return StagedPage(page[0], page[1], rows, rejects)


async def ending(conn: AsyncConnection, preview_id: int) -> tuple[Any, ...]:
    """How the preview ended: outcome, total, people, rejected, repeated, seen twice, missing, why, and the
    readings that were counted.
    """
    row = await (
        await conn.execute(
            """
            SELECT r.outcome, p.remote_total, r.people, p.rejected, p.repeated, r.seen_twice, r.missing,
                   r.trouble, r.counted
            FROM runs r JOIN run_progress p ON p.run_id = r.id WHERE r.id = %s
            """,
            (preview_id,),
        )
    ).fetchone()
    assert row is not None
    return row


async def empty_too_old(conn: AsyncConnection, days: int) -> bool:
    """Gives up one preview that ended more than so many days ago; whether there was one."""
    row = await (await conn.execute(SWEEP["find_too_old"], {"days": days})).fetchone()
    if row:
        await conn.execute(SWEEP["empty"], {"run": row[0], "why": "too_old"})
    return row is not None


async def delete_left_over(conn: AsyncConnection, most: int) -> int:
    """Deletes at most so many people of a preview that was given up; returns how many."""
    row = await (await conn.execute(SWEEP["find_left_over"])).fetchone()
    return (await conn.execute(SWEEP["delete_some"], {"run": row[0], "most": most})).rowcount if row else 0


def delete_some(conn: Connection, run_id: int, most: int) -> int:
    """Deletes at most so many people of this preview, which was given up; returns how many."""
    return conn.execute(SWEEP["delete_some"], {"run": run_id, "most": most}).rowcount
