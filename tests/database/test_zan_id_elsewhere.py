"""A ZanID in the lists of two institutions: another person's record does not take the employee over."""

from typing import Any

import pytest

from hrims.db import AsyncPool, Connection
from tests.database.lists import Lists
from tests.people import record

SIMAI = record(1, workplace="WIZARA YA AFYA")
AMINA: dict[str, Any] = {"firstName": "Amina", "birthDate": "1990-05-06T00:00:00", "payrollNumber": "777001"}
INTRUDER = record(1, workplace="WIZARA YA MAJI", **AMINA)


def rows(conn: Connection, sql: str) -> list[Any]:
    return conn.execute(sql.encode()).fetchall()


def listed(conn: Connection) -> list[tuple[str, str]]:
    """Who is on whose list."""
    return rows(
        conn,
        "SELECT i.vote_code, e.zan_id FROM listings l JOIN employees e ON e.id = l.employee_id"
        " JOIN institutions i ON i.id = l.institution_id WHERE l.ended_at IS NULL ORDER BY 1, 2",
    )


@pytest.fixture
def lists(conn: Connection, pool: AsyncPool) -> Lists:
    """Two institutions without runs."""
    return Lists(conn, pool)


async def test_the_employee_stays_and_the_other_is_a_reject(conn: Connection, lists: Lists) -> None:
    await lists.run([SIMAI, 2])
    before = rows(conn, "SELECT to_jsonb(e) - '{updated_at}'::text[] FROM employees e ORDER BY id LIMIT 1")
    for _ in range(2):
        await lists.run([INTRUDER, 3], "water")
        await lists.run([SIMAI, 2])
    after = rows(conn, "SELECT to_jsonb(e) - '{updated_at}'::text[] FROM employees e ORDER BY id LIMIT 1")
    assert after == before
    assert rows(conn, "SELECT count(*) FROM employee_changes") == [(0,)]
    assert rows(conn, "SELECT outcome, people FROM runs ORDER BY id") == [
        ("complete", 2),
        *[("complete", 1), ("complete", 2)] * 2,
    ]
    assert rows(conn, "SELECT code, name, workplace, times FROM reject_cases WHERE closed_at IS NULL") == [
        ("shared_zan_id", "Amina Mtu 1 Makame", "WIZARA YA MAJI", 2)
    ]
    zan_ids = [record(number)["personalInfo"]["zanIdNumber"] for number in (1, 2, 3)]
    assert listed(conn) == [("001", zan_ids[0]), ("001", zan_ids[1]), ("002", zan_ids[2])]


@pytest.mark.parametrize("field", ["firstName", "birthDate"])
async def test_a_correction_that_the_other_list_sends_first_is_kept(
    conn: Connection, lists: Lists, field: str
) -> None:
    """Somebody who works for two institutions, and whose name or birth date was wrong."""
    await lists.run([SIMAI])
    await lists.run([record(1, **{field: AMINA[field], "payrollNumber": "777001"})], "water")
    assert rows(conn, "SELECT count(*) FROM employee_changes") == [(1,)]
    assert rows(conn, "SELECT count(*) FROM rejects") == [(0,)]


async def test_a_correction_of_the_list_that_has_had_them_longest_is_kept(
    conn: Connection, lists: Lists
) -> None:
    """Name and birth date were both wrong; the other list follows."""
    await lists.run([SIMAI])
    await lists.run([SIMAI], "water")
    for where in ("water", "health", "water"):
        await lists.run([record(1, **AMINA)], where)
    assert rows(conn, "SELECT name FROM employees") == [("Amina Mtu 1 Makame",)]
    assert rows(conn, "SELECT count(*) FROM employee_changes") == [(1,)]
    assert rows(conn, "SELECT count(*) FROM reject_cases WHERE closed_at IS NULL") == [(0,)]


async def test_a_zan_id_that_is_free_again_goes_to_the_other(conn: Connection, lists: Lists) -> None:
    """The first list has missed its employee."""
    await lists.run([SIMAI, 2])
    await lists.run([INTRUDER], "water")
    await lists.run([2])
    await lists.run([INTRUDER], "water")
    assert rows(conn, "SELECT name FROM employees ORDER BY zan_id LIMIT 1") == [("Amina Mtu 1 Makame",)]
    assert rows(conn, "SELECT count(*) FROM reject_cases WHERE closed_at IS NULL") == [(0,)]


async def test_both_lists_of_one_institution_are_one(conn: Connection, lists: Lists) -> None:
    await lists.run([SIMAI])
    await lists.run([SIMAI], by="tin")
    await lists.run([record(1, **AMINA)], by="tin")
    assert rows(conn, "SELECT name FROM employees") == [("Amina Mtu 1 Makame",)]
