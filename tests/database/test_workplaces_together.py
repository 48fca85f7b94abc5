"""Decisions about workplaces, page transactions and imports at the same time.

They wait for each other, no employee keeps the old institution, and none deadlocks.
"""

import asyncio
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from hrims.access.actor import Actor
from hrims.db import AsyncPool, Connection
from hrims.employees import store as employees
from hrims.errors import Conflict
from hrims.institutions import importer
from hrims.institutions.workplaces import actions
from hrims.jobs.attempts.store import Attempt
from hrims.sync import pages
from tests.database.runs import begin, enqueue_run_of, institution, rows, wait_until_blocked
from tests.database.test_save_page import save
from tests.database.test_workplaces import HEALTH, HOSPITAL, INSTITUTIONS, begin_with_hospital, workplace
from tests.support.people import page, record
from tests.support.users import ASHA, OMAR

MANY = 6000
"""People of one workplace, as many as the appointing authority lists."""

WRONG = """
SELECT count(*) FROM employees e JOIN workplaces w ON w.id = e.workplace_id
WHERE e.institution_id IS DISTINCT FROM w.institution_id
"""
"""People who are not where their workplace is."""

DEADLOCKS = """
SELECT deadlocks FROM pg_stat_database, pg_stat_force_next_flush() WHERE datname = current_database()
"""


@pytest.fixture
async def attempt(conn: Connection, pool: AsyncPool) -> Attempt:
    """Return a run of the ministry of health that lists three people of a hospital."""
    return await begin_with_hospital(conn, pool)


async def decided(dsn: str, action: Callable[..., Any], *given: Any, by: Actor = ASHA, **more: Any) -> Any:
    """Return a decision on a connection of its own, in a thread."""

    def act() -> Any:
        with psycopg.connect(dsn, autocommit=True) as own_conn:
            return action(own_conn, by, *given, **more)

    return await asyncio.to_thread(act)


async def test_a_mapping_waits_for_a_page_that_is_being_saved_and_moves_its_people_too(
    conn: Connection, dsn: str, pool: AsyncPool, attempt: Attempt
) -> None:
    id_, new = workplace(conn), record(7, workplace=HOSPITAL)
    [(_, row)] = pages.map_page(page([new], total=1)).rows
    async with pool.connection() as saver:
        run_id = attempt.run_id
        await employees.save_rows(
            saver, [(0, row)], run_id=run_id, institution_id=1, identifier_type="votecode"
        )
        mapping = asyncio.create_task(decided(dsn, actions.map_workplace, id_, HEALTH))
        await wait_until_blocked(conn)
        assert not mapping.done()
    assert (await mapping).moved == 4
    assert rows(conn, INSTITUTIONS) == [("WIZARA YA AFYA", 4)]
    assert rows(conn, "SELECT count(*) FROM employee_changes") == [(4,)]


async def test_a_page_waits_for_a_mapping_and_files_its_people_by_it(
    conn: Connection, dsn: str, pool: AsyncPool, attempt: Attempt
) -> None:
    id_ = workplace(conn)
    with psycopg.connect(dsn) as person, person.transaction():
        actions.map_workplace(person, ASHA, id_, HEALTH)
        saving = asyncio.create_task(
            save(attempt, pool, [record(n, workplace=HOSPITAL) for n in range(2, 9)], number=1)
        )
        await wait_until_blocked(conn)
        assert not saving.done()
    await saving
    assert rows(conn, INSTITUTIONS) == [("WIZARA YA AFYA", 9)]
    assert rows(conn, "SELECT count(*) FROM employee_changes") == [(3,)]
    assert rows(conn, "SELECT unmatched FROM run_progress") == [(3,)]


async def test_a_second_mapping_at_the_same_time_reports_the_first(
    conn: Connection, dsn: str, pool: AsyncPool, attempt: Attempt
) -> None:
    id_, other = workplace(conn), institution(conn, "TUME", "037", "129673100")
    with psycopg.connect(dsn) as first, first.transaction():
        actions.map_workplace(first, ASHA, id_, HEALTH)
        second = asyncio.create_task(decided(dsn, actions.map_workplace, id_, other, by=OMAR))
        await wait_until_blocked(conn)
        assert not second.done()
    with pytest.raises(Conflict, match=r"belongs to WIZARA YA AFYA already: asha has mapped it"):
        await second
    assert rows(conn, INSTITUTIONS) == [("WIZARA YA AFYA", 3)]
    assert rows(conn, "SELECT count(*) FROM audit_log WHERE action = 'workplace.map'") == [(1,)]


async def test_an_undo_while_the_register_gains_the_name_follows_the_register(
    conn: Connection, dsn: str, pool: AsyncPool, attempt: Attempt
) -> None:
    id_ = workplace(conn)
    actions.map_workplace(conn, ASHA, id_, HEALTH)
    with psycopg.connect(dsn) as other, other.transaction():
        importer.import_rows(other, OMAR, [(HOSPITAL, "050", None)])
        taking = asyncio.create_task(decided(dsn, actions.unmap, id_))
        await wait_until_blocked(conn)
    assert (await taking).workplace.institution == HOSPITAL


async def test_a_big_workplace_moves_while_pages_of_its_people_are_saved(
    conn: Connection, dsn: str, pool: AsyncPool, attempt: Attempt
) -> None:
    """Pages change its employees in the opposite order: no deadlock, and all are moved."""
    conn.execute(
        """
        INSERT INTO employees (zan_id, status, current_workplace, workplace_id,
                               first_run_id, last_changed_run_id)
        SELECT '5803' || lpad(n::text, 5, '0'), 'Confirmed', %s, %s, 1, 1 FROM generate_series(40000, %s) n
        """,
        (HOSPITAL, workplace(conn), 40000 + MANY - 1),
    )
    id_ = workplace(conn)
    there = [f"5803{n:05d}" for n in range(40000, 40000 + MANY)]

    async def churn() -> None:
        for number in range(1, 25):
            some = there[-100 * number : -100 * number + 99 or None]
            where = [HOSPITAL, "Wizara ya Afya", "Bodi ya Mikopo"]
            batch = [
                record(n, zanIdNumber=zan_id, workplace=where[n % 3])
                for n, zan_id in enumerate(reversed(some))
            ]
            await save(attempt, pool, batch, number=number)

    async def decisions() -> None:
        for _ in range(3):
            await decided(dsn, actions.map_workplace, id_, HEALTH)
            await decided(dsn, actions.unmap, id_)
        await decided(dsn, actions.map_workplace, id_, HEALTH)

    await asyncio.gather(churn(), decisions())
    assert rows(conn, DEADLOCKS) == [(0,)]
    assert rows(conn, WRONG) == [(0,)]
    assert rows(conn, "SELECT count(*) FROM employees WHERE institution_id IS NULL")[0][0] < MANY / 3


LOCK_PERSON = "SELECT FROM employees WHERE zan_id = %s FOR UPDATE"
LOCK_WORKPLACE = "SELECT FROM workplaces WHERE name = %s FOR SHARE"


@pytest.mark.parametrize(
    ("lock", "first", "then"),
    [
        pytest.param(LOCK_PERSON, "580330000", "580330002", id="people of one workplace"),
        pytest.param(LOCK_PERSON, "580330001", "580330002", id="people of two workplaces"),
        pytest.param(LOCK_WORKPLACE, "Skuli A", "Skuli B", id="two workplaces"),
    ],
)
async def test_a_page_that_has_one_and_wants_another_gets_it(
    conn: Connection, dsn: str, pool: AsyncPool, lock: str, first: str, then: str
) -> None:
    """A page locks in key order. A transaction that moves employees waits before it locks any of them."""
    attempt = await begin(conn, pool, enqueue_run_of(conn, institution(conn)))
    await save(attempt, pool, [record(1, workplace="Skuli A")])
    await save(attempt, pool, [record(n, workplace="Skuli B") for n in (0, 2)], number=1)
    both: list[importer.Entry] = [("SKULI B", None, None), ("SKULI A", None, None)]
    with psycopg.connect(dsn) as saver:
        saver.execute(lock.encode(), (first,))
        moving = asyncio.create_task(decided(dsn, importer.import_rows, both))
        await wait_until_blocked(conn)
        saver.execute(lock.encode(), (then,))
        saver.commit()
    await moving
    assert rows(conn, INSTITUTIONS) == [("SKULI A", 1), ("SKULI B", 2)]


async def test_pages_decisions_and_imports_never_wait_in_a_ring(
    conn: Connection, dsn: str, pool: AsyncPool
) -> None:
    """People move between two workplaces in pages, while both are registered in an import, or mapped."""
    attempt = await begin(conn, pool, enqueue_run_of(conn, institution(conn), page_size=500))
    names = [f"Skuli {n}" for n in range(8)]
    people = list(range(300))
    await save(attempt, pool, [record(n, workplace=names[n % 8]) for n in people])

    async def churn(turn: int) -> None:
        for number in range(12):
            some = [
                record(n, workplace=names[(n + number + turn) % 8])
                for n in people[turn * 50 : turn * 50 + 150]
            ]
            await save(attempt, pool, some[::-1] if turn else some, number=1 + 2 * number + turn)

    def imports() -> None:
        with psycopg.connect(dsn, autocommit=True) as own_conn:
            for n in range(0, 6, 2):
                numbers: list[importer.Entry] = [
                    (names[n + 1], f"9{n}1", None),
                    (names[n], f"9{n}0", None),
                    ("WIZARA YA AFYA", f"00{n}", None),
                ]
                importer.import_rows(own_conn, OMAR, numbers)

    async def decisions() -> None:
        for name in names[6:] * 3:
            await decided(dsn, actions.map_workplace, workplace(conn, name), HEALTH)
            await decided(dsn, actions.unmap, workplace(conn, name))

    await asyncio.gather(churn(0), churn(1), asyncio.to_thread(imports), decisions())
    assert rows(conn, WRONG) == [(0,)]
    assert rows(conn, DEADLOCKS) == [(0,)]
