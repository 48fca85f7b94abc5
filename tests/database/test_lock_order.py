"""Transactions lock employees in key order, and departures one at a time, so that they never deadlock."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest

from hrims.db import AsyncPool, Connection
from hrims.errors import Conflict
from hrims.leavers import actions
from hrims.leavers.store import ApplyResult
from tests.database.lists import Lists
from tests.database.runs import wait_until_blocked
from tests.support.users import JUMA

STAY = range(100, 130)

LOCK = "SELECT FROM employees WHERE zan_id = %s FOR UPDATE"
INSERT = (
    "INSERT INTO employees (zan_id, status, first_run_id, last_changed_run_id)"
    " VALUES (%s, 'Confirmed', 1, 1) ON CONFLICT DO NOTHING"
)


def zan_id(number: int) -> str:
    return f"58033{number:04d}"


@pytest.fixture
async def lists(conn: Connection, pool: AsyncPool) -> Lists:
    """Provide a list whose first six employees are missing from its latest run, with ids not in key order."""
    lists = Lists(conn, pool)
    await lists.run([6, *STAY])
    await lists.run([*range(6, 0, -1), *STAY])
    await lists.run(STAY)
    return lists


@asynccontextmanager
async def first_employee_taken(conn: Connection, dsn: str, statement: str) -> AsyncIterator[None]:
    """Lock the first employee by key until the block waits for it; then lock the last one, without a wait."""
    with psycopg.connect(dsn) as other:
        other.execute("SET lock_timeout = '200ms'")
        other.execute(statement, (zan_id(1),))
        yield
        await wait_until_blocked(conn)
        other.execute(statement, (zan_id(6),))
        other.rollback()


async def test_an_approval_locks_its_employees_in_key_order(lists: Lists, dsn: str) -> None:
    await lists.run(STAY)
    departure_id = waiting(lists)
    async with first_employee_taken(lists.conn, dsn, LOCK):
        approval = asyncio.create_task(approve(dsn, departure_id))
    assert await approval == (6, 0)


async def test_a_run_that_ends_locks_its_leavers_in_key_order(lists: Lists, dsn: str) -> None:
    async with first_employee_taken(lists.conn, dsn, LOCK):
        run = asyncio.create_task(lists.run(STAY))
    await run
    assert waiting(lists)


async def test_new_employees_are_inserted_in_key_order(conn: Connection, pool: AsyncPool, dsn: str) -> None:
    lists = Lists(conn, pool)
    async with first_employee_taken(conn, dsn, INSERT):
        run = asyncio.create_task(lists.run([6, 3, 1]))
    await run
    assert lists.rows("SELECT zan_id FROM employees ORDER BY id") == [(zan_id(n),) for n in (1, 3, 6)]


async def test_a_run_supersedes_a_departure_that_is_being_approved(lists: Lists, dsn: str) -> None:
    """The run locks the employees, then the departure; the approval locks them in the other order."""
    await lists.run(STAY)
    departure_id = waiting(lists)
    async with first_employee_taken(lists.conn, dsn, LOCK):
        run = asyncio.create_task(lists.run(STAY))
        await wait_until_blocked(lists.conn)
        approval = asyncio.create_task(approve(dsn, departure_id))
        await wait_until_blocked(lists.conn, sessions=2)
    await run
    with pytest.raises(Conflict, match="replaced by a later run"):
        await approval


def waiting(lists: Lists) -> int:
    """Return the id of the departure that waits for approval."""
    [departure_id] = [id_ for id_, state, *_ in lists.departures() if state == "waiting"]
    return departure_id


async def approve(dsn: str, departure_id: int) -> ApplyResult:
    """Approve a departure on another connection."""

    def act() -> ApplyResult:
        with psycopg.connect(dsn, autocommit=True) as conn:
            return actions.approve(conn, JUMA, departure_id)

    return await asyncio.to_thread(act)
