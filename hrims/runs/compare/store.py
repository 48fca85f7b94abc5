"""The SQL that compares two runs. Each function works inside its caller's transaction."""

from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from hrims.access.scope import Scope
from hrims.db import Connection, statements
from hrims.jobs.store import RUN_IN_SCOPE

SQL = statements(Path(__file__).with_name("compare.sql"))

PEOPLE = ("zanId", "name", "cadre", "workplace", "status", "institution", "rejectedByOther")
CHANGED = ("zanId", "name", "changes")


class Side(NamedTuple):
    """One of the two compared runs."""

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
    """Counts of people: with a changed field, met by one run only, met by both runs."""

    changed: int
    only_a: int
    only_b: int
    both: int


SIDE = """
SELECT r.id, r.kind, r.institution_id, coalesce(i.name, 'One person'), r.state, r.outcome,
       coalesce(r.people, p.saved), r.requested_at, r.finished_at, r.pruned_at
FROM runs r LEFT JOIN institutions i ON i.id = r.institution_id JOIN run_progress p ON p.run_id = r.id
"""


def find_side(conn: Connection, scope: Scope, run_id: int) -> Side | None:
    """Return the run with this id in the scope, of any kind and state."""
    row = conn.execute(
        f"{SIDE} WHERE r.id = %(id)s AND {RUN_IN_SCOPE.format('r')}".encode(), {"id": run_id, **scope.values}
    ).fetchone()
    return Side(*row) if row else None


def list_sides(conn: Connection, institution_id: int, limit: int) -> list[Side]:
    """Return the latest comparable runs of an institution, newest first."""
    rows = conn.execute(
        f"{SIDE} WHERE r.institution_id = %s AND r.kind IN ('sync', 'apply') AND r.finished_at IS NOT NULL"
        " AND r.pruned_at IS NULL"
        " ORDER BY r.id DESC LIMIT %s".encode(),
        (institution_id, limit),
    )
    return [Side(*row) for row in rows]


def count_differences(conn: Connection, a: int, b: int) -> Counts:
    """Count the differences of two runs. ``a`` is the earlier run."""
    conn.execute(SQL["plan_by_index"])
    row = conn.execute(SQL["sides"] + b"\n" + SQL["count"], {"a": a, "b": b}).fetchone()
    assert row is not None
    return Counts(*row)


def list_entries(
    conn: Connection, scope: Scope, pair: tuple[int, int], kind: str, limit: int, skip: int
) -> list[dict[str, Any]]:
    """Return rows of one kind of Counts, after the first ``skip``, ordered by ZanID.

    The rows are people in the scope as it is now. ``count_hidden`` counts the others.
    """
    conn.execute(SQL["plan_by_index"])
    name, names = ("changed", CHANGED) if kind == "changed" else ("people", PEOPLE)
    values = _values(scope, pair, kind) | {"limit": limit, "skip": skip}
    rows = conn.execute(SQL["sides"] + b"\n" + SQL[name], values)
    return [dict(zip(names, row, strict=True)) for row in rows]


def count_hidden(conn: Connection, scope: Scope, pair: tuple[int, int], kind: str) -> int:
    """Return the number of people of a kind outside the scope, such as those who moved away."""
    if scope.is_everything:
        return 0
    conn.execute(SQL["plan_by_index"])
    row = conn.execute(SQL["sides"] + b"\n" + SQL["count_hidden"], _values(scope, pair, kind)).fetchone()
    return row[0] if row else 0


def _values(scope: Scope, pair: tuple[int, int], kind: str) -> dict[str, Any]:
    return {"a": pair[0], "b": pair[1], "kind": kind, **scope.values}
