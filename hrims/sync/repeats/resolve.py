"""Resolves records of a pass that share a ZanID, in one transaction: an attempt in, rejects and restored
rows out.
"""

import logging

from hrims.db import AsyncConnection, AsyncPool
from hrims.employees.digest import identity_of
from hrims.employees.mapping import Row
from hrims.employees.rejects import shared_zan_id
from hrims.jobs.attempts.store import Attempt
from hrims.rejects import cases
from hrims.rejects import store as rejects
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
            for employee in await _employees(conn, attempt, contested):
                await _resolve_one(conn, attempt, employee, contested[employee.id])

    await patiently(write)


async def _employees(
    conn: AsyncConnection, attempt: Attempt, contested: dict[int, list[Record]]
) -> list[Employee]:
    if not contested:
        return []
    if attempt.kind == "preview":
        return await store.find_employees_of_preview(conn, list(contested))
    return await store.lock_employees(conn, attempt, list(contested))


async def _resolve_one(
    conn: AsyncConnection, attempt: Attempt, employee: Employee, records: list[Record]
) -> None:
    # A preview of a new employee has saved no row, so there is no state to choose.
    digests = employee.digests
    identities = sorted({identity_of(record.digest) for record in records})
    keys = [shared(employee.zan_id, one) for one in identities]
    rejected = [identities[at] for at in await rejects.find_open(conn, keys)]
    decision = decide(records, digests, is_new=employee.is_new, known=rejected)
    # One change to the state that stays is what the run did; more of them passed through other records.
    is_settled = len(digests) == 2 and decision.state == 1 and not employee.is_new
    if len(digests) > 1 and not is_settled:
        await store.restore_employee(conn, attempt, employee, decision.state)
    known = dict(zip(digests, employee.states, strict=True))
    for record in decision.rejected:
        await _reject(conn, attempt, employee.zan_id, record, known.get(record.digest))
    if decision.rejected:
        log.info("zan_id_shared run=%s rejected=%s", attempt.run_id, len(decision.rejected))


async def _reject(
    conn: AsyncConnection, attempt: Attempt, zan_id: str, record: Record, row: Row | None
) -> None:
    total = await store.total_of_page(conn, attempt, record)
    key = shared(zan_id, identity_of(record.digest))
    whose = Whose(key, row.name, row.payroll_number, row.current_workplace) if row else Whose(key)
    await store.reject(conn, attempt, record, shared_zan_id(zan_id), whose)
    await cases.refresh(conn, attempt, record.reading, record.page_size, record.page_number, total)
