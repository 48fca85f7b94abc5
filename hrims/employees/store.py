"""Keeps people: rows of one page come in, what became of them goes out. All SQL of this room.

Every function works on the connection and inside the transaction of its caller.
"""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

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
Staged = msgspec.defstruct("Staged", ["position", *COLUMNS], gc=False)
"""A row and its place in the page, as the database takes them: as JSON."""


class Kept(NamedTuple):
    """What became of the people of a page. ``ids`` are employees.id in page order; ``unmatched`` have no
    institution.
    """

    ids: list[int]
    new: int = 0
    changed: int = 0
    unmatched: int = 0

    @property
    def unchanged(self) -> int:
        return len(self.ids) - self.new - self.changed


async def plan_by_index(conn: AsyncConnection) -> None:
    """Leaves the planner no way but the indexes until the transaction ends."""
    await conn.execute(SAVE["plan_by_index"])


async def keep(
    conn: AsyncConnection,
    rows: Sequence[tuple[int, Row]],
    *,
    run_id: int,
    institution_id: int | None,
    identifier_type: str,
) -> Kept:
    """Saves rows by their place in the page, each ZanID once, with their workplaces, and that this
    institution, if any, lists them.
    """
    run = {"run_id": run_id, "institution_id": institution_id, "identifier_type": identifier_type}
    people = [Staged(position, *row) for position, row in rows]
    given = {**run, "people": msgspec.json.encode(people).decode()}
    new = changed = listed = 0
    again: set[int] = set()
    while True:
        found = await (await conn.execute(SAVE["keep"], given)).fetchone()
        assert found
        ids, *counts, unmatched, missed, is_unknown = found
        if is_unknown:
            await _add_workplaces(conn, {row.current_workplace for _, row in rows if row.current_workplace})
            continue
        new, changed, listed = (sum(both) for both in zip((new, changed, listed), counts, strict=True))
        again.update(missed)
        if None not in ids:
            break
    if again or listed > new:
        # Only whom another list had, or this one had missed, can have been a leaver.
        await _welcome_back(conn, run, ids, list(again))
    return Kept(ids, new, changed, unmatched)


async def _add_workplaces(conn: AsyncConnection, names: Collection[str]) -> None:
    # The other half of this lock is in match_waiting_workplaces(), migration 0003. No workplace is locked
    # yet, or this and a change of the register would wait in a ring.
    await conn.execute("SELECT pg_advisory_xact_lock_shared(hashtext('hrims register'))")
    await conn.execute(SAVE["add_workplaces"], {"names": list(names)})


async def _welcome_back(conn: AsyncConnection, run: dict[str, Any], ids: list[int], again: list[int]) -> None:
    reopened = []
    if again:
        rows = await conn.execute(SAVE["list_again"], {**run, "again": again})
        reopened = [id_ async for (id_,) in rows if id_ is not None]
    await conn.execute(SAVE["come_back"], {**run, "ids": ids, "reopened": reopened})
