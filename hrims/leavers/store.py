"""Lists that end and leavers, in SQL. Functions named ``async`` serve the worker, the others people who
decide. Each works inside its caller's transaction, after ``alone`` or ``alone_async``.
"""

from pathlib import Path
from typing import Any, NamedTuple

from hrims.db import AsyncConnection, Connection, int_array, statements
from hrims.employees.absence import ABSENCE
from hrims.leavers.threshold import DAYS, Counts

LEAVE = statements(Path(__file__).with_name("leave.sql"))

MISS = b"\n".join((LEAVE["unmet"], ABSENCE["absent"], LEAVE["miss"]))


class Overdue(NamedTuple):
    """A person whom a list missed often enough: since which run, whether another list has them, and whether
    the run that has just ended proves their absence too.
    """

    employee_id: int
    since_run_id: int
    is_elsewhere: bool
    is_absent: bool


class Departure(NamedTuple):
    """People whose list ended with one run."""

    id: int
    institution_id: int
    run_id: int
    asked_by: str
    state: str


class Done(NamedTuple):
    """How many left and how many are on another institution's list."""

    leavers: int
    transfers: int


# For the end of a run


async def alone_async(conn: AsyncConnection) -> None:
    """Lets nobody else conclude or decide until this transaction ends."""
    await conn.execute(LEAVE["alone"])


async def met_everybody(conn: AsyncConnection, run: dict[str, Any]) -> bool:
    """Whether the pages of the run hold as many people as it counted: else they tell of nobody's absence."""
    row = await (await conn.execute(LEAVE["met"], run)).fetchone()
    counted = await (await conn.execute("SELECT people FROM runs WHERE id = %(run)s", run)).fetchone()
    return bool(row and counted and row[0] >= counted[0])


async def miss(conn: AsyncConnection, run: dict[str, Any], readings: tuple[int, ...]) -> list[int]:
    """Count a miss for each person of the list whom this complete run proves to be absent; return their ids.

    ``readings`` are those that prove the run complete.
    """
    return [id_ async for (id_,) in await conn.execute(MISS, {**run, "readings": list(readings)})]


async def overdue(conn: AsyncConnection, run: dict[str, Any], after: int, missed: list[int]) -> list[Overdue]:
    """Return whom so many complete runs missed; hold their rows. This run missed those in ``missed``."""
    given = {**run, "after": after, "missed": int_array(missed)}
    await conn.execute(LEAVE["hold"], given)
    return [Overdue(*row) async for row in await conn.execute(LEAVE["overdue"], given)]


async def count(
    conn: AsyncConnection, run: dict[str, Any], leaving: list[Overdue], *, transfers: int
) -> Counts:
    """Return what decides whether these leavers wait."""
    given = {**run, "days": DAYS}
    listed, lately = [await _number(conn, LEAVE[name], given) for name in ("count_listed", "count_lately")]
    hidden = 0
    if not all(one.is_absent for one in leaving):
        hidden = max(1, await _number(conn, ABSENCE["count_unnamed"], run))
    return Counts(len(leaving), listed - transfers, lately, hidden)


async def _number(conn: AsyncConnection, statement: bytes, given: dict[str, Any]) -> int:
    row = await (await conn.execute(statement, given)).fetchone()
    return int(row[0]) if row else 0


async def supersede(conn: AsyncConnection, run: dict[str, Any]) -> None:
    """What waited for this list's earlier run waits no more: this run's conclusions hold it all."""
    for (run_id,) in await (await conn.execute(LEAVE["supersede"], run)).fetchall():
        await conn.execute(LEAVE["wait_no_more"], {"run": run_id})


async def add(
    conn: AsyncConnection, run: dict[str, Any], people: list[Overdue], listed: int, why: str | None
) -> int:
    """Adds a departure of these people, waiting if there is a reason why; returns its id."""
    ids = [one.employee_id for one in people]
    state = "applied" if why is None else "waiting"
    given = {**run, "state": state, "why": why, "listed": listed, "people": ids}
    row = await (await conn.execute(LEAVE["add"], given)).fetchone()
    assert row is not None
    since = [one.since_run_id for one in people]
    await conn.execute(LEAVE["add_people"], {"departure": row[0], "people": ids, "since": since})
    if why is not None:
        await conn.execute(LEAVE["await"], {**run, "count": len(ids)})
    return int(row[0])


async def carry_out_async(conn: AsyncConnection, departure_id: int) -> None:
    """Ends the lists of a departure's people and makes leavers of those whom no other list has."""
    given = {"departure": departure_id, "made_by": None}
    for name in ("end_lists", "tell_apart", "leave"):
        await conn.execute(LEAVE[name], given)


# For people who decide


def hold(conn: Connection, departure_id: int) -> Departure | None:
    """A departure and its people, held until this transaction ends, with nobody else deciding."""
    conn.execute(LEAVE["alone"])
    row = conn.execute(
        "SELECT id, institution_id, run_id, asked_by, state FROM departures WHERE id = %s FOR UPDATE",
        (departure_id,),
    ).fetchone()
    conn.execute(LEAVE["hold_people"], {"departure": departure_id})
    return Departure(*row) if row else None


def decide(conn: Connection, departure: Departure, state: str, name: str) -> None:
    """Writes down that a person approved or refused. Nothing of it waits any more."""
    conn.execute(
        "UPDATE departures SET state = %s, decided_by = %s, decided_at = now() WHERE id = %s",
        (state, name, departure.id),
    )
    conn.execute(LEAVE["wait_no_more"], {"run": departure.run_id})


def carry_out(conn: Connection, departure: Departure, name: str) -> Done:
    """Ends the lists of a departure's people and makes leavers of those whom no other list has."""
    given = {"departure": departure.id, "made_by": name}
    conn.execute(LEAVE["end_lists"], given)
    conn.execute(LEAVE["tell_apart"], given)
    row = conn.execute(LEAVE["leave"], given).fetchone()
    return Done(*row) if row else Done(0, 0)


def forget_misses(conn: Connection, departure: Departure) -> None:
    """Lets the list count anew for a departure's people."""
    conn.execute(LEAVE["forget_misses"], {"departure": departure.id})


def undo(conn: Connection, departure: Departure, name: str) -> int:
    """Takes back what a departure did, as far as it still stands; returns how many are back on the list."""
    conn.execute(
        "UPDATE departures SET state = 'undone', undone_by = %s, undone_at = now() WHERE id = %s",
        (name, departure.id),
    )
    row = conn.execute(LEAVE["stay"], {"departure": departure.id, "made_by": name}).fetchone()
    return int(row[0]) if row else 0
