"""SQL for departures and leavers.

Functions named ``async`` are for the worker, the others for users who decide. Each works inside its caller's
transaction. Those that write run after ``lock_departure`` or ``lock_departures``.
"""

from pathlib import Path
from typing import Any, NamedTuple

from psycopg.rows import class_row, dict_row

from hrims.access.actor import Actor
from hrims.access.scope import Scope
from hrims.db import AsyncConnection, Connection, int_array, statements
from hrims.employees.absence import ABSENCE
from hrims.leavers.model import DepartureView
from hrims.leavers.threshold import DAYS, Counts

RECENT = 30
"""Number of past departures that page and API show."""

SQL = statements(Path(__file__).with_name("leave.sql"))

COUNT_MISSES = b"\n".join((SQL["unmet"], ABSENCE["absent"], SQL["count_misses"]))


class Overdue(NamedTuple):
    """An employee that a list missed often enough.

    ``is_elsewhere`` is true if another list has the employee. ``is_absent`` is true if the run that has just
    ended proves the absence too.
    """

    employee_id: int
    since_run_id: int
    is_elsewhere: bool
    is_absent: bool


class Departure(NamedTuple):
    """The leavers that one run found. ``requester_ids`` are all users who asked for the run."""

    id: int
    institution_id: int
    run_id: int
    state: str
    requester_ids: list[int]


class ApplyResult(NamedTuple):
    """The number of leavers, and of employees that are on another institution's list."""

    leavers: int
    transfers: int


# For the end of a run


async def lock_departures(conn: AsyncConnection) -> None:
    """Lock departures until this transaction ends, so that no other run or user changes them."""
    await conn.execute(SQL["lock_departures"])


async def has_all_people(conn: AsyncConnection, run: dict[str, Any]) -> bool:
    """Return whether the pages of the run hold as many employees as it counted.

    If not, they prove no absence.
    """
    row = await (await conn.execute(SQL["count_met"], run)).fetchone()
    counted = await (await conn.execute("SELECT people FROM runs WHERE id = %(run)s", run)).fetchone()
    return bool(row and counted and row[0] >= counted[0])


async def count_misses(conn: AsyncConnection, run: dict[str, Any], readings: tuple[int, ...]) -> list[int]:
    """Count a miss for each employee of the list whose absence this complete run proves. Return their ids.

    ``readings`` are the passes that prove the run complete.
    """
    return [id_ async for (id_,) in await conn.execute(COUNT_MISSES, {**run, "readings": list(readings)})]


async def find_overdue(
    conn: AsyncConnection, run: dict[str, Any], after: int, missed: list[int]
) -> list[Overdue]:
    """Lock and return the employees that at least ``after`` complete runs missed.

    This run missed those in ``missed``.
    """
    values = {**run, "after": after, "missed": int_array(missed)}
    await conn.execute(SQL["lock_overdue"], values)
    return [Overdue(*row) async for row in await conn.execute(SQL["find_overdue"], values)]


async def count_listed(
    conn: AsyncConnection, run: dict[str, Any], leaving: list[Overdue], *, transfers: int
) -> Counts:
    """Return the counts that decide whether these leavers need approval."""
    values = {**run, "days": DAYS}
    listed, recent = [await _number(conn, SQL[name], values) for name in ("count_listed", "count_recent")]
    unknown = 0
    if not all(employee.is_absent for employee in leaving):
        unknown = max(1, await _number(conn, ABSENCE["count_unnamed"], run))
    return Counts(len(leaving), listed - transfers, recent, unknown)


async def _number(conn: AsyncConnection, statement: bytes, values: dict[str, Any]) -> int:
    row = await (await conn.execute(statement, values)).fetchone()
    return int(row[0]) if row else 0


async def supersede(conn: AsyncConnection, run: dict[str, Any]) -> None:
    """Mark the waiting departures of this list's earlier runs as superseded.

    The departure of this run includes all of their employees that are still missing.
    """
    for (run_id,) in await (await conn.execute(SQL["supersede"], run)).fetchall():
        await conn.execute(SQL["clear_waiting"], {"run": run_id})


async def insert_departure(
    conn: AsyncConnection, run: dict[str, Any], people: list[Overdue], listed: int, why: str | None
) -> int:
    """Add a departure of these employees. It waits for approval if ``why`` is given. Return its id."""
    ids = [employee.employee_id for employee in people]
    state = "applied" if why is None else "waiting"
    values = {**run, "state": state, "why": why, "listed": listed, "people": ids}
    row = await (await conn.execute(SQL["insert_departure"], values)).fetchone()
    assert row is not None
    since = [employee.since_run_id for employee in people]
    await conn.execute(SQL["insert_people"], {"departure": row[0], "people": ids, "since": since})
    if why is not None:
        await conn.execute(SQL["set_waiting"], {**run, "count": len(ids)})
    return int(row[0])


async def apply_departure_async(conn: AsyncConnection, departure_id: int) -> None:
    """End the listings of a departure's employees. Make leavers of those that no other list has."""
    values = {"departure": departure_id, "made_by": None}
    for name in ("end_listings", "classify_people", "mark_leavers"):
        await conn.execute(SQL[name], values)


# For users who decide


def lock_departure(conn: Connection, departure_id: int) -> Departure | None:
    """Return a departure, locked with its employees until this transaction ends, or None."""
    conn.execute(SQL["lock_departures"])
    row = conn.execute(
        "SELECT id, institution_id, run_id, state,"
        " array(SELECT user_id FROM run_requesters r WHERE r.run_id = d.run_id)"
        " FROM departures d WHERE id = %s FOR UPDATE",
        (departure_id,),
    ).fetchone()
    conn.execute(SQL["lock_people"], {"departure": departure_id})
    return Departure(*row) if row else None


def record_decision(conn: Connection, departure: Departure, state: str, actor: Actor) -> None:
    """Save that a user approved or refused a departure. None of it waits any longer.

    Raises psycopg.errors.CheckViolation if the user asked for the run and approves.
    """
    conn.execute(
        "UPDATE departures SET state = %s, decided_by = %s, decided_by_id = %s, decided_at = now()"
        " WHERE id = %s",
        (state, actor.name, actor.user_id, departure.id),
    )
    conn.execute(SQL["clear_waiting"], {"run": departure.run_id})


def apply_departure(conn: Connection, departure: Departure, name: str) -> ApplyResult:
    """End the listings of a departure's employees. Make leavers of those that no other list has."""
    values = {"departure": departure.id, "made_by": name}
    conn.execute(SQL["end_listings"], values)
    conn.execute(SQL["classify_people"], values)
    row = conn.execute(SQL["mark_leavers"], values).fetchone()
    return ApplyResult(*row) if row else ApplyResult(0, 0)


def forget_misses(conn: Connection, departure: Departure) -> None:
    """Reset the misses of a departure's employees."""
    conn.execute(SQL["forget_misses"], {"departure": departure.id})


def undo(conn: Connection, departure: Departure, actor: Actor) -> int:
    """Undo what a departure did, as far as it still stands. Return how many employees are listed again."""
    conn.execute(
        "UPDATE departures SET state = 'undone', undone_by = %s, undone_by_id = %s, undone_at = now()"
        " WHERE id = %s",
        (actor.name, actor.user_id, departure.id),
    )
    row = conn.execute(SQL["undo"], {"departure": departure.id, "made_by": actor.name}).fetchone()
    return int(row[0]) if row else 0


IN_SCOPE = SQL["select_departures"] + b" WHERE in_scope(d.institution_id, %(scope)s)"
"""The departures of the institutions that a user may see."""


def find_departure(conn: Connection, scope: Scope, id_: int) -> DepartureView | None:
    """Return the departure with this id; None if there is none in the scope."""
    with conn.cursor(row_factory=class_row(DepartureView)) as cursor:
        return cursor.execute(IN_SCOPE + b" AND d.id = %(id)s", {"id": id_, **scope.values}).fetchone()


def list_waiting(conn: Connection, scope: Scope) -> list[DepartureView]:
    """Return the departures in the scope that wait for approval, oldest first, at most one per list."""
    with conn.cursor(row_factory=class_row(DepartureView)) as cursor:
        return cursor.execute(IN_SCOPE + b" AND d.state = 'waiting' ORDER BY d.id", scope.values).fetchall()


def list_recent(conn: Connection, scope: Scope, limit: int) -> list[DepartureView]:
    """Return the departures in the scope that were carried out, refused or undone, newest first."""
    with conn.cursor(row_factory=class_row(DepartureView)) as cursor:
        return cursor.execute(
            IN_SCOPE + b" AND d.state NOT IN ('waiting', 'superseded') ORDER BY d.id DESC LIMIT %(limit)s",
            {"limit": limit, **scope.values},
        ).fetchall()


def list_people(
    conn: Connection, scope: Scope, departure_id: int, limit: int, skip: int = 0
) -> list[dict[str, Any]]:
    """Return the employees of a departure that are in the scope now.

    Fields: ``id``, ``zanId``, ``name``, ``cadre``, ``workplace``, ``became`` (left, transferred, unlisted, or
    None), and ``left`` (whether they are a leaver now).
    """
    with conn.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(
            """
            SELECT e.id, e.zan_id AS "zanId", e.name, e.cadre, e.current_workplace AS workplace, p.became,
                   e.left_run_id IS NOT NULL AS left
            FROM departure_people p JOIN employees e ON e.id = p.employee_id
            WHERE p.departure_id = %(id)s AND person_in_scope(e.id, e.institution_id, %(scope)s)
            ORDER BY p.employee_id LIMIT %(limit)s OFFSET %(skip)s
            """,
            {"id": departure_id, "limit": limit, "skip": skip, **scope.values},
        ).fetchall()


def count_hidden(conn: Connection, scope: Scope, departure_id: int) -> int:
    """Return the number of employees of a departure outside the scope, such as those who moved away."""
    row = conn.execute(
        "SELECT count(*) FROM departure_people p JOIN employees e ON e.id = p.employee_id"
        " WHERE p.departure_id = %(id)s AND NOT person_in_scope(e.id, e.institution_id, %(scope)s)",
        {"id": departure_id, **scope.values},
    ).fetchone()
    return row[0] if row else 0
