"""Runs beside one another, in SQL. Each function works inside its caller's transaction."""

from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from hrims.db import Connection, statements

SQL = statements(Path(__file__).with_name("compare.sql"))

PEOPLE = ("zanId", "name", "cadre", "workplace", "status", "institution", "rejectedByOther")
CHANGED = ("zanId", "name", "changes")


class Side(NamedTuple):
    """A run that may be compared with another one."""

    id: int
    kind: str
    institution_id: int | None
    institution: str
    state: str
    outcome: str | None
    people: int
    requested_at: datetime
    finished_at: datetime | None
    pruned_at: datetime | None


class Counts(NamedTuple):
    """People of whom a field changed in between, whom only one of the two runs met, and whom both did."""

    changed: int
    only_a: int
    only_b: int
    both: int


SIDE = """
SELECT r.id, r.kind, r.institution_id, coalesce(i.name, 'One person'), r.state, r.outcome,
       coalesce(r.people, p.saved), r.requested_at, r.finished_at, r.pruned_at
FROM runs r LEFT JOIN institutions i ON i.id = r.institution_id JOIN run_progress p ON p.run_id = r.id
"""


def side(conn: Connection, run_id: int) -> Side | None:
    """A run, whatever it is."""
    row = conn.execute(f"{SIDE} WHERE r.id = %s".encode(), (run_id,)).fetchone()
    return Side(*row) if row else None


def sides(conn: Connection, institution_id: int, most: int) -> list[Side]:
    """The latest runs of an institution that can be compared, newest first."""
    rows = conn.execute(
        f"{SIDE} WHERE r.institution_id = %s AND r.kind IN ('sync', 'apply') AND r.finished_at IS NOT NULL"
        " AND r.pruned_at IS NULL"
        " ORDER BY r.id DESC LIMIT %s".encode(),
        (institution_id, most),
    )
    return [Side(*row) for row in rows]


def counts(conn: Connection, a: int, b: int) -> Counts:
    """How the two runs differ; ``a`` is the earlier one."""
    conn.execute(SQL["plan_by_index"])
    row = conn.execute(SQL["sides"] + b"\n" + SQL["count"], {"a": a, "b": b}).fetchone()
    assert row is not None
    return Counts(*row)


def entries(conn: Connection, a: int, b: int, kind: str, most: int, skip: int) -> list[dict[str, Any]]:
    """Rows of one of the kinds of Counts, from the ``skip``-th on, in the order of the ZanIDs."""
    conn.execute(SQL["plan_by_index"])
    name, names = ("changed", CHANGED) if kind == "changed" else ("people", PEOPLE)
    given = {"a": a, "b": b, "kind": kind, "most": most, "skip": skip}
    rows = conn.execute(SQL["sides"] + b"\n" + SQL[name], given)
    return [dict(zip(names, row, strict=True)) for row in rows]
