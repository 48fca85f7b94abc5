"""Cases in SQL: opened and refreshed with a page, closed with a run, listed. Each function works inside its
caller's transaction; those named ``async`` serve the worker.
"""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hrims.db import AsyncConnection, Connection, statements
from hrims.employees.mapping import Reject
from hrims.jobs.attempts.store import Attempt
from hrims.rejects.identity import Whose

CLOSE = statements(Path(__file__).with_name("close_cases.sql"))

# In key order: pages of a run commit at the same time, and one record can stand on two of them. A record that
# is met twice by a run is counted once, and stands where it was met last.
MEET = """
INSERT INTO reject_cases AS c (institution_id, identifier_type, record_key, by_place, code, field, reason,
    masked, page_size, page_number, position, remote_total, first_run_id, last_run_id, name, payroll_number,
    workplace)
SELECT DISTINCT ON (r.record_key) %(institution)s, %(type)s, r.record_key,
       r.record_key = record_key('place:' || (r.page_size::bigint * r.page_number + r.position)),
       r.code, r.field, r.reason, r.masked, r.page_size, r.page_number, r.position, p.remote_total,
       %(run)s, %(run)s, r.name, r.payroll_number, r.workplace
FROM unnest(%(readings)s::smallint[], %(sizes)s::integer[], %(numbers)s::integer[])
    AS met (reading, page_size, page_number)
JOIN run_pages p ON p.run_id = %(run)s AND p.reading = met.reading AND p.page_size = met.page_size
    AND p.page_number = met.page_number
JOIN rejects r ON r.run_id = %(run)s AND r.reading = met.reading AND r.page_size = met.page_size
    AND r.page_number = met.page_number
WHERE r.record_key IS NOT NULL
ORDER BY r.record_key, p.saved_at DESC, p.reading DESC, r.position
ON CONFLICT (institution_id, identifier_type, record_key) DO UPDATE
SET by_place = EXCLUDED.by_place, code = EXCLUDED.code, field = EXCLUDED.field, reason = EXCLUDED.reason,
    masked = EXCLUDED.masked, page_size = EXCLUDED.page_size, page_number = EXCLUDED.page_number,
    position = EXCLUDED.position, remote_total = EXCLUDED.remote_total, last_run_id = EXCLUDED.last_run_id,
    last_seen_at = now(), times = c.times + (c.last_run_id <> EXCLUDED.last_run_id)::int,
    closed_at = NULL, closed_run_id = NULL, name = EXCLUDED.name, payroll_number = EXCLUDED.payroll_number,
    workplace = EXCLUDED.workplace
"""


async def meet(conn: AsyncConnection, attempt: Attempt, pages: Collection[tuple[int, int, int]]) -> None:
    """Open or refresh the cases of the rejects of saved pages (reading, size, number)."""
    readings, sizes, numbers = (list(column) for column in zip(*pages, strict=True))
    given = {"run": attempt.run_id, "readings": readings, "sizes": sizes, "numbers": numbers}
    await conn.execute(MEET, given | _listing(attempt))


async def add(
    conn: AsyncConnection,
    page: tuple[int, int, int, int],
    rejects: Sequence[tuple[int, Reject]],
    whose: Sequence[Whose],
) -> None:
    """Save rejects of a page (run, reading, size, number): place, reason and person of each."""
    async with conn.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO rejects"
            " (run_id, reading, page_size, page_number, position, code, field, reason, masked, record_key,"
            " name, payroll_number, workplace)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, record_key(%s), %s, %s, %s)",
            [
                (*page, position, *reject, *person)
                for (position, reject), person in zip(rejects, whose, strict=True)
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
    """Return which of these identities, by index, have an open case in any list or are rejects of this run
    (a preview opens no cases).
    """
    rows = await conn.execute(FIND_KNOWN, {"run": run_id, "identities": identities})
    return [at async for (at,) in rows]


async def take_identities_of_preview(
    conn: AsyncConnection, attempt: Attempt, reading: int, size: int, number: int
) -> None:
    """Copy whose record each reject of a page is from the preview that fetched it: the records are gone."""
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


async def close_what_was_not_met(conn: AsyncConnection, attempt: Attempt, readings: tuple[int, ...]) -> None:
    """After a run that read everybody."""
    given = {"run": attempt.run_id, "readings": list(readings)}
    await conn.execute(CLOSE["close_what_was_not_met"], given | _listing(attempt))


async def close_what_was_kept(conn: AsyncConnection, attempt: Attempt, readings: tuple[int, ...]) -> None:
    """After a run that has read some."""
    given = {"run": attempt.run_id, "readings": list(readings)}
    await conn.execute(CLOSE["close_what_was_kept"], given | _listing(attempt))


def _listing(attempt: Attempt) -> dict[str, Any]:
    return {"institution": attempt.institution_id, "type": attempt.identifier_type}


# Asking again


class Wanted(NamedTuple):
    """Where a case is to be asked for, from 0; ``alone`` when its record breaks every page that it is on."""

    place: int
    alone: bool


async def wanted(conn: AsyncConnection, run_id: int) -> list[Wanted]:
    """Where a run that asks again has to look."""
    rows = await conn.execute(
        "SELECT place, alone FROM run_cases WHERE run_id = %s ORDER BY place", (run_id,)
    )
    return [Wanted(*row) async for row in rows]


async def tell_what_became(conn: AsyncConnection, run_id: int) -> int:
    """Notes what became of each case that a run asked again for; returns how many it did not find."""
    await conn.execute(CLOSE["tell_what_became"], {"run": run_id})
    row = await (
        await conn.execute(
            "SELECT count(*) FROM run_cases WHERE run_id = %s AND became = 'not_found'", (run_id,)
        )
    ).fetchone()
    assert row is not None
    return int(row[0])


def lock_open(conn: Connection, institution_id: int, identifier_type: str) -> list[int]:
    """The places of the open cases of a listing, locked in the order in which a page locks them."""
    rows = conn.execute(
        """
        SELECT place FROM reject_cases
        WHERE institution_id = %s AND identifier_type = %s AND closed_at IS NULL
        ORDER BY record_key FOR UPDATE
        """,
        (institution_id, identifier_type),
    )
    return [place for (place,) in rows]


def ask_for_open(conn: Connection, run_id: int, institution_id: int, identifier_type: str) -> None:
    """Notes what the run asks again for, and how long the listing was when that was seen."""
    conn.execute(
        """
        WITH asked AS (
            INSERT INTO run_cases (run_id, case_id, place, alone)
            SELECT %(run)s, c.id, c.place, c.code = 'remote_breaks' FROM reject_cases c
            WHERE c.institution_id = %(institution)s AND c.identifier_type = %(type)s AND c.closed_at IS NULL
            RETURNING case_id
        )
        UPDATE run_progress p
        SET remote_total = (SELECT max(greatest(c.remote_total, c.place + 1)) FROM reject_cases c
                            JOIN asked a ON a.case_id = c.id)
        WHERE p.run_id = %(run)s
        """,
        {"run": run_id, "institution": institution_id, "type": identifier_type},
    )


# The list


class Where(NamedTuple):
    """Which cases: None asks for any; ``state`` is open, closed or all."""

    institution_id: int | None
    identifier_type: str | None
    code: str | None
    state: str


class Listing(NamedTuple):
    """A listing of an institution, and how many of its rejects are open."""

    identifier_type: str
    open: int


WHERE = """
FROM reject_cases c
WHERE (%(institution_id)s::bigint IS NULL OR c.institution_id = %(institution_id)s)
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
    """(open, closed), whatever the state asked for."""
    row = conn.execute(
        f"SELECT count(*) FILTER (WHERE c.closed_at IS NULL), count(c.closed_at) {WHERE}".encode(),
        where._asdict(),
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def page_of(conn: Connection, where: Where, most: int, skip: int) -> list[tuple[Any, ...]]:
    """One page of cases, open ones first, the latest first."""
    given = where._asdict() | {"most": most, "skip": skip}
    return conn.execute(f"{CASES} LIMIT %(most)s OFFSET %(skip)s".encode(), given).fetchall()


def every(conn: Connection, where: Where) -> Iterator[tuple[Any, ...]]:
    """All cases, through a cursor on the server: memory stays bounded."""
    with conn.cursor("every_reject") as cursor:
        cursor.execute(CASES.encode(), where._asdict())
        yield from cursor


def open_listings(conn: Connection, institution_id: int) -> list[Listing]:
    """The listings of an institution that have open cases."""
    rows = conn.execute(
        """
        SELECT identifier_type, count(*) FROM reject_cases
        WHERE institution_id = %s AND closed_at IS NULL GROUP BY 1 ORDER BY 1 DESC
        """,
        (institution_id,),
    )
    return [Listing(*row) for row in rows]


def concerned(conn: Connection) -> list[tuple[int, str]]:
    """(id, name) of the institutions that have cases, by name."""
    return conn.execute(
        """
        SELECT i.id, i.name FROM institutions i
        WHERE EXISTS (SELECT FROM reject_cases c WHERE c.institution_id = i.id) ORDER BY i.name
        """
    ).fetchall()


async def broken_positions(conn: AsyncConnection, run_id: int, reading: int) -> list[int]:
    """Return the positions of the records that broke every page of this pass that held them."""
    rows = await conn.execute(
        """
        SELECT page_size::bigint * page_number + position FROM rejects
        WHERE run_id = %s AND reading = %s AND code = 'remote_breaks'
        """,
        (run_id, reading),
    )
    return [position async for (position,) in rows]
