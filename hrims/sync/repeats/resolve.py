"""Resolves records of a pass that share a ZanID, in one transaction.

Input: an attempt. Output: rejects and restored rows.
"""

from collections.abc import Iterable

from hrims.db import AsyncConnection, AsyncPool
from hrims.employees.digest import extract_identity
from hrims.employees.rejects import reject_shared_zan_id
from hrims.jobs.attempts.store import Attempt
from hrims.log import get_logger
from hrims.rejects import cases
from hrims.rejects.identity import RejectedPerson, shared_key
from hrims.resilience import retry_on_disconnect
from hrims.sync.repeats import store
from hrims.sync.repeats.decision import Record, decide
from hrims.sync.repeats.store import Employee
from hrims.sync.store import check_attempt

log = get_logger(__name__)


async def resolve(attempt: Attempt, pool: AsyncPool, readings: list[int]) -> None:
    """Decide about every ZanID that these passes hold with several records. Raises StaleAttempt.

    The call may be repeated: a record that is rejected is no longer among the saved ones.
    """

    async def write() -> None:
        async with pool.connection() as conn:
            await check_attempt(conn, attempt)
            contested = await store.find_contested(conn, attempt, readings)
            employees = await _employees(conn, attempt, contested)
            known = await _find_known(conn, attempt, employees, contested)
            rejected = [
                record
                for employee in employees
                for record in await _resolve_one(conn, attempt, employee, contested[employee.id], known)
            ]
            # In key order over all employees: a run of kind "rejected" locks their cases in this order too.
            await cases.refresh_cases(conn, attempt, {record.page for record in rejected})
            if rejected:
                log.info("zan_id_shared", rejected=len(rejected))

    await retry_on_disconnect(write)


async def reject_known(attempt: Attempt, pool: AsyncPool) -> int:
    """Reject records of people with an open reject that replaced the owner of their ZanID. Return how many.

    Call it if the run did not prove its list: the owner may be among the people that HRIMS did not return.
    Only a complete run shows that a ZanID was corrected. Raises StaleAttempt.
    """

    async def write() -> int:
        async with pool.connection() as conn:
            await check_attempt(conn, attempt)
            replaced = await store.find_replaced(conn, attempt)
            found = await _employees(conn, attempt, replaced)
            # A row that another run has changed since is not restored.
            min_states = 1 if attempt.kind == "preview" else 2
            employees = [
                employee for employee in found if not employee.is_new and len(employee.states) >= min_states
            ]
            keys = {
                employee.id: set(_keys(employee, replaced[employee.id]).values()) for employee in employees
            }
            known = await cases.find_known(conn, attempt, sorted(set().union(*keys.values())))
            strangers = [employee for employee in employees if keys[employee.id] <= known]
            for employee in strangers:
                if attempt.kind != "preview":
                    await store.restore_employee(conn, attempt, employee, 0)
                await _reject(conn, attempt, employee, replaced[employee.id])
            records = [record for employee in strangers for record in replaced[employee.id]]
            await cases.refresh_cases(conn, attempt, {record.page for record in records})
            return len(records)

    return await retry_on_disconnect(write)


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
    """Return the key that a reject of each identity has."""
    identities = {extract_identity(record.digest) for record in records}
    return {identity: shared_key(employee.zan_id, identity) for identity in identities}


async def _resolve_one(
    conn: AsyncConnection, attempt: Attempt, employee: Employee, records: list[Record], known: set[str]
) -> tuple[Record, ...]:
    """Restore the employee's row and reject the records of other people. Return the rejected records."""
    # A preview of a new employee has saved no row, so there is no state to choose.
    digests = employee.digests
    known_identities = [identity for identity, key in _keys(employee, records).items() if key in known]
    decision = decide(records, digests, is_new=employee.is_new, known=known_identities)
    # A single change to the state that stays is correct history. More changes went through other records.
    is_settled = len(digests) == 2 and decision.state == 1 and not employee.is_new
    if len(digests) > 1 and not is_settled:
        await store.restore_employee(conn, attempt, employee, decision.state)
    if attempt.kind == "preview":
        await store.copy_staged(conn, attempt, decision.kept, decision.copies)
    await _reject(conn, attempt, employee, decision.rejected)
    return decision.rejected


async def _reject(
    conn: AsyncConnection, attempt: Attempt, employee: Employee, records: Iterable[Record]
) -> None:
    states = dict(zip(employee.digests, employee.states, strict=True))
    for record in records:
        row = states.get(record.digest)
        key = shared_key(employee.zan_id, extract_identity(record.digest))
        person = RejectedPerson(key)
        if row:
            person = RejectedPerson(key, row.name, row.payroll_number, row.current_workplace)
        await store.reject(conn, attempt, record, reject_shared_zan_id(employee.zan_id), person)
