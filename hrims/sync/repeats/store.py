"""SQL of records that repeat a ZanID. Each function works inside its caller's transaction."""

import json
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from hrims.db import AsyncConnection, statements
from hrims.employees.digest import compute_digest
from hrims.employees.fields import COLUMNS, Row, expand_columns
from hrims.employees.rejects import Reject
from hrims.jobs.attempts.store import Attempt
from hrims.rejects import store as rejects
from hrims.rejects.identity import RejectedPerson
from hrims.sync.repeats.decision import Record

SQL = expand_columns(statements(Path(__file__).with_name("repeats.sql")))


class Employee(NamedTuple):
    """An employee with the states of the row.

    ``states`` are the state before this run (or as added by it), then the state after each of its changes.
    """

    id: int
    zan_id: str
    is_new: bool
    states: list[Row]

    @property
    def digests(self) -> list[int]:
        """The digest of each state."""
        return [compute_digest(state) for state in self.states]


async def find_contested(
    conn: AsyncConnection, attempt: Attempt, readings: list[int]
) -> dict[int, list[Record]]:
    """Return the records of the employees to decide about, by ``employees.id``."""
    return await _find_records(conn, attempt, readings, contested=True)


async def find_replaced(conn: AsyncConnection, attempt: Attempt) -> dict[int, list[Record]]:
    """Return the records of the employees person identity this run has changed, by ``employees.id``."""
    rows = await conn.execute(SQL["find_replaced"], {"run": attempt.run_id})
    ids = [id_ async for (id_,) in rows]
    return await _find_records(conn, attempt, [], contested=True, ids=ids) if ids else {}


async def find_repeats(conn: AsyncConnection, attempt: Attempt, reading: int) -> dict[int, list[Record]]:
    """Return the records of each employee that a pass holds more than once, by ``employees.id``.

    They are few: callers use this only while they are at most a hundredth of the list.
    """
    return await _find_records(conn, attempt, [reading], contested=False)


async def _find_records(
    conn: AsyncConnection,
    attempt: Attempt,
    readings: list[int],
    *,
    contested: bool,
    ids: list[int] | None = None,
) -> dict[int, list[Record]]:
    parameters = {"run": attempt.run_id, "readings": readings, "contested": contested, "ids": ids}
    found: dict[int, list[Record]] = defaultdict(list)
    async for id_, *record in await conn.execute(SQL["find_records"], parameters):
        found[id_].append(Record(*record))
    return found


async def lock_employees(conn: AsyncConnection, attempt: Attempt, ids: list[int]) -> list[Employee]:
    """Lock the employees until the transaction ends. Return them with the states that this run gave them."""
    parameters = {"run": attempt.run_id, "ids": ids}
    await conn.execute(SQL["lock_workplaces"], parameters)
    rows = await conn.execute(SQL["lock_employees"], parameters)
    return [
        Employee(id_, row["zan_id"], row["first_run_id"] == attempt.run_id, _states(row, changes))
        async for id_, row, changes in rows
    ]


async def find_employees_of_preview(conn: AsyncConnection, ids: list[int]) -> list[Employee]:
    """Return the employees that a preview met, as they are now; without states if there is none yet."""
    rows = await conn.execute(SQL["find_employees_of_preview"], {"ids": ids})
    return [
        Employee(id_, str(id_)[1:], row is None, _states(row, None) if row else []) async for id_, row in rows
    ]


def _states(row: dict[str, Any], changes: list[dict[str, list[Any]]] | None) -> list[Row]:
    states = [{column: row[column] for column in COLUMNS}]
    for change in reversed(changes or []):
        states.append(states[-1] | {field: old for field, (old, _) in change.items() if field in COLUMNS})
    return [Row(**state) for state in reversed(states)]


async def restore_employee(conn: AsyncConnection, attempt: Attempt, employee: Employee, state: int) -> None:
    """Set the row to one of its states.

    The history of this run keeps what differs from the state before it.
    """
    wanted = employee.states[state]._asdict()
    before = wanted if employee.is_new else employee.states[0]._asdict()
    changes = {name: [before[name], value] for name, value in wanted.items() if before[name] != value}
    parameters = {
        "run": attempt.run_id,
        "id": employee.id,
        "row": json.dumps(wanted),
        "changes": json.dumps(changes),
    }
    await conn.execute(SQL["restore_employee"], parameters)


async def reject(
    conn: AsyncConnection, attempt: Attempt, record: Record, reason: Reject, person: RejectedPerson
) -> None:
    """Turn a saved record into a reject."""
    where = _where(attempt, record)
    await conn.execute(SQL["unsave_record"], where)
    if attempt.kind == "preview":
        staged = await (await conn.execute(SQL["unstage_record"], where)).fetchone()
        person = RejectedPerson(person.key, *staged) if staged else person
    page = (attempt.run_id, record.reading, record.page_size, record.page_number)
    await rejects.insert_rejects(conn, page, [(record.position, reason)], [person])


async def copy_staged(
    conn: AsyncConnection, attempt: Attempt, kept: Record, copies: Sequence[Record]
) -> None:
    """Give the copies in a preview the data of the record that is kept."""
    parameters = {f"kept_{name}": value for name, value in _where(attempt, kept).items()}
    for copy in copies:
        await conn.execute(SQL["copy_staged"], parameters | _where(attempt, copy))


def _where(attempt: Attempt, record: Record) -> dict[str, int]:
    return {
        "run": attempt.run_id,
        "reading": record.reading,
        "size": record.page_size,
        "number": record.page_number,
        "position": record.position,
    }
