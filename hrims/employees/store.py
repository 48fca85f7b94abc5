"""Keeps people: rows of one page come in, what became of them goes out. All SQL of this room.

Every function works on the connection and inside the transaction of its caller.
"""

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hrims.db import AsyncConnection, statements
from hrims.employees.mapping import COLUMNS, Row

SAVE = statements(Path(__file__).with_name("save_employees.sql"))

DATES = {
    "date_of_birth",
    "recent_title_date",
    "employment_date",
    "confirmation_date",
    "retirement_date",
}
STAGED_TYPES = ["int4", "int8", "int8"] + ["date" if c in DATES else "text" for c in COLUMNS]


class Placed(NamedTuple):
    """A row with its place in the page and its institution, as far as the register knows it."""

    position: int
    workplace_id: int | None
    institution_id: int | None
    row: Row


class Kept(NamedTuple):
    """What became of the people of a page. ``ids`` are employees.id in page order."""

    ids: list[int]
    new: int
    changed: int

    @property
    def unchanged(self) -> int:
        return len(self.ids) - self.new - self.changed


async def plan_by_index(conn: AsyncConnection) -> None:
    """Leaves the planner no way but the indexes until the transaction ends."""
    await conn.execute(SAVE["plan_by_index"])


async def keep(
    conn: AsyncConnection,
    people: Sequence[Placed],
    *,
    run_id: int,
    institution_id: int | None,
    identifier_type: str,
) -> Kept:
    """Saves people, each ZanID once, and that this institution, if any, lists them; call ``stage`` before."""
    await _copy(conn, people)
    run = {"run_id": run_id, "institution_id": institution_id, "identifier_type": identifier_type}
    async with conn.pipeline():
        inserted = await conn.execute(SAVE["insert_new"], run)
        updated = await conn.execute(SAVE["update_changed"], run)
        listing = await conn.execute(SAVE["list_people"], run)
    ids, listed, again = await listing.fetchone() or ([], 0, [])
    if again or listed > inserted.rowcount:
        # Only whom another list had, or this one had missed, can have been a leaver.
        await _welcome_back(conn, run, ids, again)
    return Kept(ids, inserted.rowcount, updated.rowcount)


async def _welcome_back(conn: AsyncConnection, run: dict[str, Any], ids: list[int], again: list[int]) -> None:
    reopened = []
    if again:
        rows = await conn.execute(SAVE["list_again"], {**run, "again": again})
        reopened = [id_ async for (id_,) in rows if id_ is not None]
    await conn.execute(SAVE["come_back"], {**run, "ids": ids, "reopened": reopened})


async def stage(conn: AsyncConnection) -> None:
    """Makes the table that ``keep`` copies into, if this connection has none yet."""
    await conn.execute(SAVE["stage"])


async def _copy(conn: AsyncConnection, people: Iterable[Placed]) -> None:
    async with conn.cursor() as cursor, cursor.copy(SAVE["copy_staged"]) as copy:
        copy.set_types(STAGED_TYPES)
        for one in people:
            await copy.write_row((one.position, one.workplace_id, one.institution_id, *one.row))


async def lock_workplaces(conn: AsyncConnection, names: Collection[str]) -> dict[str, tuple[int, int | None]]:
    """(workplace, institution or None) by name, locked against mapping; nothing, and nothing locked, when one
    of the names is not registered as a workplace yet.
    """
    rows = await conn.execute(
        """
        WITH named AS MATERIALIZED (
            SELECT n.name, name_key(n.name) AS key FROM unnest(%s::text[]) AS n(name)
        )
        SELECT n.name, w.id, w.institution_id
        FROM named n
        JOIN workplaces w ON w.name_key = n.key
        WHERE NOT EXISTS (
            SELECT FROM named s WHERE NOT EXISTS (SELECT FROM workplaces k WHERE k.name_key = s.key))
        ORDER BY w.id FOR SHARE OF w
        """,
        (list(names),),
    )
    return {name: (id_, institution_id) async for name, id_, institution_id in rows}


async def add_workplaces(conn: AsyncConnection, names: Collection[str]) -> None:
    """Registers workplaces met for the first time, matched by name where the register knows it.

    Call it before any workplace is locked, or it and a change of the register wait in a ring.
    """
    # The other half of this lock is in match_waiting_workplaces(), migration 0003.
    await conn.execute("SELECT pg_advisory_xact_lock_shared(hashtext('hrims register'))")
    await conn.execute(
        """
        INSERT INTO workplaces (name, institution_id, matched_by)
        SELECT DISTINCT ON (name_key(n.name)) n.name, i.id, CASE WHEN i.id IS NOT NULL THEN 'name' END
        FROM unnest(%s::text[]) AS n(name)
        LEFT JOIN institutions i ON i.name_key = name_key(n.name)
        ORDER BY name_key(n.name), n.name
        ON CONFLICT (name_key) DO NOTHING
        """,
        (list(names),),
    )
