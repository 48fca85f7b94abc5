"""Resolves records of a pass that share a ZanID, in one transaction: an attempt in, rejects and restored
rows out.
"""

import logging

from hrims.db import AsyncConnection, AsyncPool
from hrims.employees.digest import identity_of
from hrims.employees.rejects import shared_zan_id
from hrims.jobs.attempts.store import Attempt
from hrims.rejects import cases
from hrims.rejects.identity import Whose, shared
from hrims.steady import patiently
from hrims.sync.repeats import store
from hrims.sync.repeats.decision import Record, decide
from hrims.sync.repeats.store import Employee
from hrims.sync.store import check_fence

log = logging.getLogger(__name__)


async def resolve(attempt: Attempt, pool: AsyncPool, readings: list[int]) -> None:
    """Decide about every ZanID that these readings hold with several records. Raises Fenced.

    May be repeated: a record that is rejected is no longer among the saved ones.
    """

    async def write() -> None:
        async with pool.connection() as conn:
            await check_fence(conn, attempt)
            contested = await store.find_contested(conn, attempt, readings)
            employees = await _employees(conn, attempt, contested)
            known = await _find_known(conn, attempt, employees, contested)
            rejected = [
                record
                for employee in employees
                for record in await _resolve_one(conn, attempt, employee, contested[employee.id], known)
            ]
            # In key order over all employees, as a run that asks again for rejects locks their cases.
            await cases.refresh(conn, attempt, {record.page for record in rejected})
            if rejected:
                log.info("zan_id_shared run=%s rejected=%s", attempt.run_id, len(rejected))

    await patiently(write)


async def _employees(
    conn: AsyncConnection, attempt: Attempt, contested: dict[int, list[Record]]
) -> list[Employee]:
    if not contested:
        return []
    if attempt.kind == "preview":
        return await store.find_employees_of_preview(conn, list(contested))
    return await store.lock_employees(conn, attempt, list(contested))


async def _find_known(
    conn: AsyncConnection, attempt: Attempt, employees: list[Employee], contested: dict[int, list[Record]]
) -> set[str]:
    """Return the keys of the known rejects among the records that have different identities."""
    keys = set[str]()
    for employee in employees:
        found = _keys(employee, contested[employee.id])
        if len(found) > 1:
            keys.update(found.values())
    return await cases.find_known(conn, attempt, sorted(keys))


def _keys(employee: Employee, records: list[Record]) -> dict[int, str]:
    """Return the key of a reject of each identity."""
    return {one: shared(employee.zan_id, one) for one in (identity_of(record.digest) for record in records)}


async def _resolve_one(
    conn: AsyncConnection, attempt: Attempt, employee: Employee, records: list[Record], known: set[str]
) -> tuple[Record, ...]:
    """Restore the employee's row and reject the records of other people; return those."""
    # A preview of a new employee has saved no row, so there is no state to choose.
    digests = employee.digests
    known_identities = [one for one, key in _keys(employee, records).items() if key in known]
    decision = decide(records, digests, is_new=employee.is_new, known=known_identities)
    # One change to the state that stays is what the run did; more of them passed through other records.
    is_settled = len(digests) == 2 and decision.state == 1 and not employee.is_new
    if len(digests) > 1 and not is_settled:
        await store.restore_employee(conn, attempt, employee, decision.state)
    if attempt.kind == "preview" and decision.kept:
        await store.copy_staged(conn, attempt, decision.kept, decision.copies)
    states = dict(zip(digests, employee.states, strict=True))
    for record in decision.rejected:
        row = states.get(record.digest)
        key = shared(employee.zan_id, identity_of(record.digest))
        whose = Whose(key, row.name, row.payroll_number, row.current_workplace) if row else Whose(key)
        await store.reject(conn, attempt, record, shared_zan_id(employee.zan_id), whose)
    return decision.rejected
