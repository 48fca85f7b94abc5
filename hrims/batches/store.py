"""Batches, in SQL. Each function works inside its caller's transaction."""

from datetime import datetime, time
from pathlib import Path
from typing import Any, NamedTuple

from psycopg.rows import class_row

from hrims.batches.standing import Member, Total
from hrims.db import Connection, int_array, statements

SQL = statements(Path(__file__).with_name("batches.sql"))


class Meant(NamedTuple):
    """An institution that is meant, and the number by which it is asked for; None where it has none."""

    institution_id: int
    identifier_type: str
    identifier: str | None


class Quiet(NamedTuple):
    """Hours of the day in which runs do not start: from, until, and in which time zone."""

    quiet_from: time | None = None
    quiet_until: time | None = None
    quiet_zone: str | None = None


class Batch(NamedTuple):
    """A batch, as it was asked for."""

    id: int
    wish: str
    identifier_type: str | None
    page_size: int
    priority: str
    requested_by: str
    requested_via: str
    requested_at: datetime


def add(conn: Connection, batch: dict[str, Any]) -> int:
    """Writes a batch down; returns its id."""
    row = conn.execute(SQL["add"], batch).fetchone()
    assert row is not None
    return int(row[0])


def meant(conn: Connection, wish: str, identifier_type: str | None, institutions: list[int]) -> list[Meant]:
    """The institutions that a wish means, by id."""
    given = {"wish": wish, "identifier_type": identifier_type, "institutions": institutions}
    return [Meant(*row) for row in conn.execute(SQL["meant"], given)]


def ask(
    conn: Connection, batch_id: int, these: list[Meant], run: dict[str, Any], spread: int, quiet: Quiet
) -> int:
    """Asks for a run of each, spread over so many minutes, and writes down what became of each; returns how
    many runs were asked for.
    """
    who = {
        "ids": int_array(one.institution_id for one in these),
        "types": [one.identifier_type for one in these],
        "identifiers": [one.identifier for one in these],
    }
    asked = conn.execute(SQL["ask"], {**who, **run, "spread": spread, **quiet._asdict()}).fetchall()
    runs = {
        "runs": int_array(run_id for run_id, _ in asked),
        "asked": int_array(institution_id for _, institution_id in asked),
    }
    if asked:
        conn.execute(SQL["queue"], runs)
    conn.execute(SQL["join"], {"batch": batch_id, **who, **runs})
    return len(asked)


def reopen(conn: Connection, batch_id: int) -> int:
    """Gives the failed runs a full set of attempts; returns how many.

    Raises psycopg.errors.UniqueViolation when an institution gets another run just then.
    """
    runs = [run_id for (run_id,) in conn.execute(SQL["reopen"], {"batch": batch_id})]
    if runs:
        conn.execute(SQL["queue"], {"runs": int_array(runs)})
    return len(runs)


def cancel(conn: Connection, batch_id: int) -> int:
    """Ends the batch's own runs that are under way, and their jobs; returns how many."""
    held = conn.execute(SQL["cancel"], {"batch": batch_id}).fetchall()
    conn.execute(SQL["cancel_jobs"], {"jobs": int_array(job for _, job in held if job is not None)})
    return len(held)


READ = """
SELECT id, wish, identifier_type, page_size, priority, requested_by, requested_via, requested_at FROM batches
"""


def read(conn: Connection, batch_id: int) -> Batch | None:
    """One batch."""
    row = conn.execute(f"{READ} WHERE id = %s".encode(), (batch_id,)).fetchone()
    return Batch(*row) if row else None


def recent(conn: Connection, most: int, skip: int) -> list[Batch]:
    """The latest batches, newest first."""
    rows = conn.execute(f"{READ} ORDER BY id DESC LIMIT %s OFFSET %s".encode(), (most, skip))
    return [Batch(*row) for row in rows]


def total(conn: Connection, batch_id: int) -> Total:
    """How a batch stands as a whole."""
    with conn.cursor(row_factory=class_row(Total)) as cursor:
        row = cursor.execute(SQL["total"], {"batch": batch_id}).fetchone()
    assert row is not None
    return row


def members(conn: Connection, batch_id: int, state: str | None, most: int, skip: int) -> list[Member]:
    """The institutions of a batch by name, those in one state or all."""
    given = {"batch": batch_id, "state": state, "most": most, "skip": skip}
    with conn.cursor(row_factory=class_row(Member)) as cursor:
        return cursor.execute(SQL["members"], given).fetchall()
