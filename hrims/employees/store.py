"""Saves employees. Input: the rows of one page. Output: their ids and counts. All SQL of this package.

Every function works on its caller's connection, inside its caller's transaction.
"""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from hrims.db import AsyncConnection, statements
from hrims.employees.fields import COLUMNS, Row, expand_columns

SAVE = expand_columns(statements(Path(__file__).with_name("save_employees.sql")))

Staged = msgspec.defstruct("Staged", ["position", *COLUMNS], gc=False)
"""A row and its position in the page, in the JSON form that the database reads."""


class SaveResult(NamedTuple):
    """The result of saving the employees of a page.

    ``ids`` are employees.id in page order. ``unmatched`` is the number of employees without an institution.
    """

    ids: list[int]
    new: int = 0
    changed: int = 0
    unmatched: int = 0

    @property
    def unchanged(self) -> int:
        return len(self.ids) - self.new - self.changed


async def plan_by_index(conn: AsyncConnection) -> None:
    """Restrict the planner to indexes until the transaction ends."""
    await conn.execute(SAVE["plan_by_index"])


async def save_rows(
    conn: AsyncConnection,
    rows: Sequence[tuple[int, Row]],
    *,
    run_id: int,
    institution_id: int | None,
    identifier_type: str,
) -> SaveResult:
    """Save rows with their positions in the page, each ZanID once, together with their workplaces.

    Also save that this institution, if any, lists them.
    """
    run = {"run_id": run_id, "institution_id": institution_id, "identifier_type": identifier_type}
    people = [Staged(position, *row) for position, row in rows]
    parameters = {**run, "people": msgspec.json.encode(people).decode()}
    new = changed = listed = 0
    again: set[int] = set()
    while True:
        row = await (await conn.execute(SAVE["save_rows"], parameters)).fetchone()
        assert row
        ids, *counts, unmatched, missed, is_unknown = row
        if is_unknown:
            await _add_workplaces(
                conn, {new_row.current_workplace for _, new_row in rows if new_row.current_workplace}
            )
            continue
        new, changed, listed = (sum(counted) for counted in zip((new, changed, listed), counts, strict=True))
        again.update(missed)
        if None not in ids:
            break
    if again or listed > new:
        # Only an employee that another list had, or that this list had missed, can be a leaver.
        await _end_absences(conn, run, ids, list(again))
    return SaveResult(ids, new, changed, unmatched)


async def _add_workplaces(conn: AsyncConnection, names: Collection[str]) -> None:
    # The matching exclusive lock is in match_waiting_workplaces(), migrations/0002_institutions.sql. No
    # workplace is locked yet; otherwise this transaction and a change of the register would deadlock.
    await conn.execute("SELECT pg_advisory_xact_lock_shared(hashtext('hrims register'))")
    await conn.execute(SAVE["add_workplaces"], {"names": list(names)})


async def _end_absences(conn: AsyncConnection, run: dict[str, Any], ids: list[int], again: list[int]) -> None:
    reopened = []
    if again:
        rows = await conn.execute(SAVE["list_again"], {**run, "again": again})
        reopened = [id_ async for (id_,) in rows if id_ is not None]
    await conn.execute(SAVE["come_back"], {**run, "ids": ids, "reopened": reopened})
