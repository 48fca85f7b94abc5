"""SQL for cases: open and refresh them with a page, close them with a run, list them.

Each function works inside its caller's transaction. Those named ``async`` are for the worker.
"""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hrims.access.scope import Scope
from hrims.db import AsyncConnection, Connection, statements
from hrims.employees.rejects import Reject
from hrims.jobs.attempts.store import Attempt
from hrims.rejects.identity import RejectedPerson

SQL = statements(Path(__file__).with_name("cases.sql"))


async def upsert_cases(
    conn: AsyncConnection, attempt: Attempt, pages: Collection[tuple[int, int, int]]
) -> None:
    """Open or refresh the cases of the rejects of saved pages (reading, size, number)."""
    readings, sizes, numbers = (list(column) for column in zip(*pages, strict=True))
    values = {"run": attempt.run_id, "readings": readings, "sizes": sizes, "numbers": numbers}
    await conn.execute(SQL["upsert_cases"], values | _listing(attempt))


async def insert_rejects(
    conn: AsyncConnection,
    page: tuple[int, int, int, int],
    rejects: Sequence[tuple[int, Reject]],
    people: Sequence[RejectedPerson],
) -> None:
    """Save the rejects of a page (run, reading, size, number): position, reason and person of each."""
    async with conn.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO rejects"
            " (run_id, reading, page_size, page_number, position, code, field, reason, masked, record_key,"
            " name, payroll_number, workplace)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, record_key(%s), %s, %s, %s)",
            [
                (*page, position, *reject, *person)
                for (position, reject), person in zip(rejects, people, strict=True)
            ],
        )


FIND_KNOWN = """
WITH wanted AS MATERIALIZED (
    SELECT w.nth, record_key(w.whose) AS key
    FROM unnest(%(identities)s::text[]) WITH ORDINALITY AS w(whose, nth)
)
SELECT nth::int - 1 FROM wanted
WHERE EXISTS (SELECT FROM reject_cases c WHERE c.closed_at IS NULL AND c.record_key = wanted.key OFFSET 0)
   OR key IN (SELECT record_key FROM rejects WHERE run_id = %(run)s)
ORDER BY nth
"""


async def find_known(conn: AsyncConnection, run_id: int, identities: list[str]) -> list[int]:
    """Return which of these identities, by index, have an open case in any list or are rejects of this run.

    A preview opens no cases, so its own rejects are checked too.
    """
    rows = await conn.execute(FIND_KNOWN, {"run": run_id, "identities": identities})
    return [at async for (at,) in rows]


async def copy_identities(
    conn: AsyncConnection, attempt: Attempt, reading: int, size: int, number: int
) -> None:
    """Copy the identities of a page's rejects from the preview that fetched it.

    The records themselves are no longer available.
    """
    await conn.execute(
        """
        UPDATE rejects r
        SET record_key = p.record_key, name = p.name, payroll_number = p.payroll_number,
            workplace = p.workplace
        FROM rejects p
        WHERE r.run_id = %s AND r.reading = %s AND r.page_size = %s AND r.page_number = %s
          AND p.run_id = %s AND p.reading = r.reading AND p.page_size = r.page_size
          AND p.page_number = r.page_number AND p.position = r.position
        """,
        (attempt.run_id, reading, size, number, attempt.of_run_id),
    )


async def close_unmet(conn: AsyncConnection, attempt: Attempt, readings: tuple[int, ...]) -> None:
    """Close the cases that a complete run of the whole list did not meet."""
    values = {"run": attempt.run_id, "readings": list(readings)}
    await conn.execute(SQL["close_unmet"], values | _listing(attempt))


async def close_saved(conn: AsyncConnection, attempt: Attempt, readings: tuple[int, ...]) -> None:
    """Close the cases that any other run proves right."""
    values = {"run": attempt.run_id, "readings": list(readings)}
    await conn.execute(SQL["close_saved"], values | _listing(attempt))


def _listing(attempt: Attempt) -> dict[str, Any]:
    return {"institution": attempt.institution_id, "type": attempt.identifier_type}


# Requesting records again


class RequestedCase(NamedTuple):
    """The position at which a case is requested, from 0.

    ``alone`` is true if its record breaks every page that contains it.
    """

    place: int
    alone: bool


async def list_requested(conn: AsyncConnection, run_id: int) -> list[RequestedCase]:
    """Return the positions that a ``rejected`` run requests."""
    rows = await conn.execute(
        "SELECT place, alone FROM run_cases WHERE run_id = %s ORDER BY place", (run_id,)
    )
    return [RequestedCase(*row) async for row in rows]


async def save_results(conn: AsyncConnection, run_id: int) -> int:
    """Save the result of each case that a run requested again. Return the number it did not find."""
    await conn.execute(SQL["save_results"], {"run": run_id})
    row = await (
        await conn.execute(
            "SELECT count(*) FROM run_cases WHERE run_id = %s AND became = 'not_found'", (run_id,)
        )
    ).fetchone()
    assert row is not None
    return int(row[0])


def lock_open(conn: Connection, institution_id: int, identifier_type: str) -> list[int]:
    """Lock the open cases of a list, in the order in which a page locks them. Return their positions."""
    rows = conn.execute(
        """
        SELECT place FROM reject_cases
        WHERE institution_id = %s AND identifier_type = %s AND closed_at IS NULL
        ORDER BY record_key FOR UPDATE
        """,
        (institution_id, identifier_type),
    )
    return [place for (place,) in rows]


def insert_run_cases(conn: Connection, run_id: int, institution_id: int, identifier_type: str) -> None:
    """Save the cases that the run requests again, and the length of the list when they were met."""
    conn.execute(
        """
        WITH requested AS (
            INSERT INTO run_cases (run_id, case_id, place, alone)
            SELECT %(run)s, c.id, c.place, c.code = 'remote_breaks' FROM reject_cases c
            WHERE c.institution_id = %(institution)s AND c.identifier_type = %(type)s AND c.closed_at IS NULL
            RETURNING case_id
        )
        UPDATE run_progress p
        SET remote_total = (SELECT max(greatest(c.remote_total, c.place + 1)) FROM reject_cases c
                            JOIN requested a ON a.case_id = c.id)
        WHERE p.run_id = %(run)s
        """,
        {"run": run_id, "institution": institution_id, "type": identifier_type},
    )


# The list


class Where(NamedTuple):
    """Conditions for cases. None matches any value; ``state`` is open, closed or all."""

    user_scope: Scope
    institution_id: int | None
    identifier_type: str | None
    code: str | None
    state: str

    @property
    def values(self) -> dict[str, Any]:
        """Return the parameters of the statements."""
        return self._asdict() | self.user_scope.values


class Listing(NamedTuple):
    """A list of an institution, and the number of its open cases."""

    identifier_type: str
    open: int


WHERE = """
FROM reject_cases c
WHERE in_scope(c.institution_id, %(scope)s)
  AND (%(institution_id)s::bigint IS NULL OR c.institution_id = %(institution_id)s)
  AND (%(identifier_type)s::text IS NULL OR c.identifier_type = %(identifier_type)s)
  AND (%(code)s::text IS NULL OR c.code = %(code)s)
"""

CASES = f"""
SELECT c.id, c.institution_id,
       (SELECT i.name FROM institutions i WHERE i.id = c.institution_id), c.identifier_type, c.code,
       c.field, c.reason, c.masked, c.place + 1, c.page_size, c.page_number, c.position, c.first_run_id,
       c.first_seen_at, c.last_run_id, c.last_seen_at, c.times, c.closed_at, c.closed_run_id, c.name,
       c.payroll_number, c.workplace
{WHERE}
  AND (%(state)s = 'all' OR (c.closed_at IS NOT NULL) = (%(state)s = 'closed'))
ORDER BY (c.closed_at IS NOT NULL), c.id DESC
"""  # noqa: S608 - made of constants


def count_states(conn: Connection, where: Where) -> tuple[int, int]:
    """Return the number of (open, closed) cases, regardless of ``where.state``."""
    row = conn.execute(
        f"SELECT count(*) FILTER (WHERE c.closed_at IS NULL), count(c.closed_at) {WHERE}".encode(),
        where.values,
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def list_cases(conn: Connection, where: Where, limit: int, skip: int) -> list[tuple[Any, ...]]:
    """Return one page of cases, open ones first, the latest first."""
    values = where.values | {"limit": limit, "skip": skip}
    return conn.execute(f"{CASES} LIMIT %(limit)s OFFSET %(skip)s".encode(), values).fetchall()


def iterate_cases(conn: Connection, where: Where) -> Iterator[tuple[Any, ...]]:
    """Yield all cases, through a server-side cursor, so that memory stays bounded."""
    with conn.cursor("every_reject") as cursor:
        cursor.execute(CASES.encode(), where.values)
        yield from cursor


def list_open_listings(conn: Connection, scope: Scope, institution_id: int) -> list[Listing]:
    """Return the lists of an institution in the scope that have open cases."""
    rows = conn.execute(
        """
        SELECT identifier_type, count(*) FROM reject_cases
        WHERE institution_id = %(id)s AND in_scope(institution_id, %(scope)s) AND closed_at IS NULL
        GROUP BY 1 ORDER BY 1 DESC
        """,
        {"id": institution_id, **scope.values},
    )
    return [Listing(*row) for row in rows]


def list_institutions(conn: Connection, scope: Scope) -> list[tuple[int, str]]:
    """Return (id, name) of the institutions in the scope that have cases, by name."""
    return conn.execute(
        """
        SELECT i.id, i.name FROM institutions i
        WHERE in_scope(i.id, %(scope)s) AND EXISTS (SELECT FROM reject_cases c WHERE c.institution_id = i.id)
        ORDER BY i.name
        """,
        scope.values,
    ).fetchall()


async def list_broken_positions(conn: AsyncConnection, run_id: int, reading: int) -> list[int]:
    """Return the positions of the records that broke every page of this pass that contained them."""
    rows = await conn.execute(
        """
        SELECT page_size::bigint * page_number + position FROM rejects
        WHERE run_id = %s AND reading = %s AND code = 'remote_breaks'
        """,
        (run_id, reading),
    )
    return [position async for (position,) in rows]
