"""SQL for previews: saves them separately from employees, and calculates what they would change.

All SQL of this package. Functions named ``async`` are for the worker, the others for web and command line.
Each works inside its caller's transaction.
"""

from pathlib import Path
from typing import Any, NamedTuple

from hrims.access.scope import EVERYTHING, Scope
from hrims.db import AsyncConnection, Connection, statements
from hrims.employees.absence import ABSENCE
from hrims.employees.fields import COLUMNS, SQL_TYPES, Row, expand_columns
from hrims.employees.rejects import Reject
from hrims.errors import PreviewGone
from hrims.jobs.attempts.store import Attempt
from hrims.previews.difference import NAMES, Difference, Preview, to_entry
from hrims.remote.wire import Page

SQL = expand_columns(statements(Path(__file__).with_name("difference.sql")))
SQL["difference"] += b"\n" + ABSENCE["absent"]

CLEANER = statements(Path(__file__).with_name("cleaner.sql"))

COUNT = SQL["difference"] + b"\n" + SQL["count"]

STAGED_TYPES = ["int8", "int2", "int4", "int4", "int4"] + [SQL_TYPES[column] for column in COLUMNS]

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


def checkpoint_number(zan_id: str) -> int:
    """Return the number that represents an employee in the checkpoint of a preview.

    No employees.id is known there. Each ZanID has a different number, because leading zeros are kept.
    """
    return int("1" + zan_id)


async def stage_people(
    conn: AsyncConnection, attempt: Attempt, page: Page, rows: list[tuple[int, Row]], reading: int
) -> None:
    """Save the employees of a page that is in the checkpoint."""
    where = (attempt.run_id, reading, page.size, page.number)
    async with conn.cursor() as cursor, cursor.copy(STAGE) as copy:
        copy.set_types(STAGED_TYPES)
        for position, row in rows:
            await copy.write_row((*where, position, *row))


async def save_result(conn: AsyncConnection, run_id: int) -> None:
    """Save what a preview would change when it ends: the counts of its progress, and its version."""
    found = await compare_async(conn, run_id)
    await conn.execute("UPDATE runs SET version = %s WHERE id = %s", (found.version, run_id))
    await conn.execute(
        "UPDATE run_progress SET new = %s, changed = %s, unchanged = %s, unmatched = %s WHERE run_id = %s",
        (found.new, found.changed, found.unchanged, found.unmatched, run_id),
    )


async def compare_async(conn: AsyncConnection, run_id: int) -> Difference:
    """Return the same as ``compare``, for the worker."""
    await conn.execute(SQL["plan_by_index"])
    row = await (await conn.execute(COUNT, {"run": run_id, **EVERYTHING.values})).fetchone()
    assert row is not None
    return Difference(*row)


def compare(conn: Connection, run_id: int) -> Difference:
    """Return what a preview would change, compared with the employees as they are now."""
    conn.execute(SQL["plan_by_index"])
    row = conn.execute(COUNT, {"run": run_id, **EVERYTHING.values}).fetchone()
    assert row is not None
    return Difference(*row)


def list_entries(
    conn: Connection, scope: Scope, run_id: int, kind: str, limit: int, skip: int = 0
) -> list[dict[str, Any]]:
    """Return at most ``limit`` rows of one of KINDS, after the first ``skip``, in a stable order.

    The rows omit employees that are saved outside the scope. ``count_hidden`` counts them.
    """
    name = kind if kind in NAMES else "people"
    statement = SQL[name] if name == "rejected" else SQL["difference"] + b"\n" + SQL[name]
    given = {"run": run_id, "kind": kind, "limit": limit, "skip": skip, **scope.values}
    return [to_entry(kind, row) for row in conn.execute(statement, given)]


def count_hidden(conn: Connection, scope: Scope, run_id: int, kind: str) -> int:
    """Return the number of employees of a kind that are saved outside the scope."""
    if scope.is_everything or kind in NAMES:
        return 0
    conn.execute(SQL["plan_by_index"])
    given = {"run": run_id, "kind": kind, **scope.values}
    row = conn.execute(SQL["difference"] + b"\n" + SQL["count_hidden"], given).fetchone()
    return row[0] if row else 0


PREVIEW = """
SELECT r.id, r.version, r.emptied_at, r.emptied_why, a.id, a.state,
       (SELECT max(o.id) FROM runs o
        WHERE o.institution_id = r.institution_id AND o.kind <> 'preview' AND o.finished_at > r.finished_at)
FROM runs r LEFT JOIN runs a ON a.of_run_id = r.id AND a.kind = 'apply'
WHERE r.id = %s AND r.kind = 'preview'
"""


def find_preview(conn: Connection, run_id: int) -> Preview | None:
    """Return a preview. Return None if this run is not a preview."""
    row = conn.execute(PREVIEW, (run_id,)).fetchone()
    return Preview(*row) if row else None


def lock_preview(conn: Connection, run_id: int) -> None:
    """Lock this preview until the transaction ends, so that no other user decides on it."""
    conn.execute("SELECT FROM runs WHERE id = %s FOR NO KEY UPDATE", (run_id,))


def save_approved_version(conn: Connection, run_id: int, version: str) -> None:
    """Save which version of the difference the run may apply."""
    conn.execute("UPDATE runs SET version = %s WHERE id = %s AND kind = 'apply'", (version, run_id))


def empty_preview(conn: Connection, run_id: int, why: str) -> None:
    """Empty a preview. ``cleaner`` deletes its employees."""
    conn.execute(CLEANER["empty"], {"run": run_id, "why": why})


async def empty_applied(conn: AsyncConnection, run_id: int) -> None:
    """Empty a preview that was applied. ``cleaner`` deletes its employees."""
    await conn.execute(CLEANER["empty"], {"run": run_id, "why": "applied"})


async def is_superseded(conn: AsyncConnection, attempt: Attempt) -> bool:
    """Return whether another sync or apply of the same list has completed since the preview ended.

    The preview is the one that this run applies.
    """
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


async def find_approved_version(conn: AsyncConnection, attempt: Attempt) -> tuple[str | None, bool]:
    """Return the version that this apply may apply, and whether it has already saved a page."""
    row = await (
        await conn.execute(
            "SELECT version, EXISTS (SELECT FROM run_pages WHERE run_id = runs.id) FROM runs WHERE id = %s",
            (attempt.run_id,),
        )
    ).fetchone()
    assert row is not None
    return row[0], row[1]


async def list_pages_to_apply(conn: AsyncConnection, attempt: Attempt) -> list[tuple[int, int, int]]:
    """Return (reading, size, number) of the preview's pages that are not applied yet, in saved order."""
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


async def find_staged_page(
    conn: AsyncConnection, preview_id: int, reading: int, size: int, number: int
) -> StagedPage:
    """Return a page of a preview. Raises PreviewGone if its employees are no longer saved."""
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


async def find_result(conn: AsyncConnection, preview_id: int) -> tuple[Any, ...]:
    """Return how the preview ended.

    The fields are: outcome, total, people, rejected, repeated, seen twice, missing, reason, and the passes
    that were counted.
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


async def empty_expired(conn: AsyncConnection, days: int) -> bool:
    """Empty one preview that ended more than ``days`` days ago. Return whether there was one."""
    row = await (await conn.execute(CLEANER["find_expired"], {"days": days})).fetchone()
    if row:
        await conn.execute(CLEANER["empty"], {"run": row[0], "why": "too_old"})
    return row is not None


async def delete_emptied_people(conn: AsyncConnection, limit: int) -> int:
    """Delete at most ``most`` employees of an emptied preview. Return how many."""
    row = await (await conn.execute(CLEANER["find_emptied"])).fetchone()
    return (
        (await conn.execute(CLEANER["delete_people"], {"run": row[0], "limit": limit})).rowcount if row else 0
    )


def delete_people(conn: Connection, run_id: int, limit: int) -> int:
    """Delete at most ``most`` employees of this emptied preview. Return how many."""
    return conn.execute(CLEANER["delete_people"], {"run": run_id, "limit": limit}).rowcount
