"""Records that share a ZanID: two people become one employee and a reject, and no run swings between them."""

from typing import Any

import pytest

from hrims.db import AsyncPool, Connection
from hrims.jobs.attempts.store import Attempt
from hrims.rejects.actions import retry_rejects
from hrims.sync.repeats.resolve import resolve
from tests.database.previews import queue
from tests.database.runs import begin, institution, rows
from tests.database.sync_steps import begin_new_run, end, save
from tests.support.people import page, record
from tests.support.users import ASHA as OFFICER

ASHA, ALI = record(1), record(1, firstName="Ali", birthDate="1970-01-02T00:00:00", payrollNumber="777001")


class Lists:
    """Runs of one institution over lists of four records, in pages of two."""

    def __init__(self, conn: Connection, pool: AsyncPool) -> None:
        self.conn, self.pool, self.institution = conn, pool, institution(conn)

    async def run(self, *records: dict[str, Any], order: tuple[int, ...] = (0, 1)) -> tuple[Attempt, str]:
        """Read the list, its pages saved in this order; return the attempt and its outcome."""
        attempt = await begin_new_run(self.conn, self.pool, self.institution, page_size=2)
        for number in order:
            part = list(records[2 * number : 2 * number + 2])
            await save(self.pool, attempt, page(part, total=len(records), number=number, size=2))
        return attempt, await end(self.pool, attempt, len(records))

    def names(self) -> list[str]:
        return [name for (name,) in rows(self.conn, "SELECT name FROM employees ORDER BY zan_id")]


@pytest.fixture
def lists(conn: Connection, pool: AsyncPool) -> Lists:
    """Return one institution without runs."""
    return Lists(conn, pool)


async def test_it_works(conn: Connection, lists: Lists) -> None:
    attempt, outcome = await lists.run(ASHA, record(2), ALI, record(3))
    assert outcome == "complete"
    assert lists.names() == ["Asha Mtu 1 Makame", "Asha Mtu 2 Makame", "Asha Mtu 3 Makame"]
    assert rows(conn, "SELECT page_number, position, code, masked FROM rejects") == [
        (1, 0, "shared_zan_id", "58•••••01")
    ]
    assert rows(conn, "SELECT name, payroll_number, workplace FROM rejects") == [
        ("Ali Mtu 1 Makame", "777001", "Wizara ya Afya")
    ]
    assert rows(conn, "SELECT people, missing FROM runs") == [(3, 0)]
    assert rows(conn, "SELECT new, changed, unchanged, rejected, repeated FROM run_progress") == [
        (3, 0, 0, 1, 0)
    ]
    assert rows(conn, "SELECT count(*) FROM employee_changes") == [(0,)]
    assert rows(conn, "SELECT code, closed_at FROM reject_cases") == [("shared_zan_id", None)]
    assert attempt.run_id == 1


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
async def test_no_order_of_pages_makes_the_row_swing(
    conn: Connection, lists: Lists, order: tuple[int, int]
) -> None:
    await lists.run(ASHA, record(2), ALI, record(3))
    before = rows(conn, "SELECT * FROM employees ORDER BY id")
    for _ in range(2):
        _, outcome = await lists.run(ASHA, record(2), ALI, record(3), order=order)
        assert outcome == "complete"
    after = rows(conn, "SELECT * FROM employees ORDER BY id")
    columns = [column.name for column in conn.execute("SELECT * FROM employees").description or ()]
    at = columns.index("updated_at")
    assert [row[:at] + row[at + 1 :] for row in after] == [row[:at] + row[at + 1 :] for row in before]
    assert rows(conn, "SELECT count(*) FROM employee_changes") == [(0,)]
    assert rows(conn, "SELECT DISTINCT new, changed, unchanged FROM run_progress WHERE run_id > 1") == [
        (0, 0, 3)
    ]
    assert rows(conn, "SELECT times FROM reject_cases") == [(3,)]


async def test_the_one_that_was_there_before_keeps_the_zan_id(conn: Connection, lists: Lists) -> None:
    await lists.run(ALI, record(2))
    _, outcome = await lists.run(ASHA, record(2), ALI, record(3))
    assert outcome == "complete"
    assert lists.names()[0] == "Ali Mtu 1 Makame"
    assert rows(conn, "SELECT page_number, position FROM rejects") == [(0, 0)]
    assert rows(conn, "SELECT count(*) FROM employee_changes") == [(0,)]


async def test_two_on_one_page(conn: Connection, lists: Lists) -> None:
    for _ in range(2):
        _, outcome = await lists.run(ASHA, ALI)
        assert outcome == "complete"
    assert lists.names() == ["Asha Mtu 1 Makame"]
    assert rows(conn, "SELECT DISTINCT page_number, position FROM rejects") == [(0, 1)]
    assert rows(conn, "SELECT count(*) FROM employee_changes") == [(0,)]


async def test_three_people_leave_two_rejects(conn: Connection, lists: Lists) -> None:
    third = record(1, lastName="Juma")
    for _ in range(2):
        _, outcome = await lists.run(ASHA, ALI, record(2), third)
        assert outcome == "complete"
    assert rows(conn, "SELECT DISTINCT page_number, position FROM rejects ORDER BY 1") == [(0, 1), (1, 1)]
    assert rows(conn, "SELECT count(*) FROM reject_cases") == [(2,)]
    assert rows(conn, "SELECT count(*) FROM employee_changes") == [(0,)]


async def test_what_changed_about_the_owner_is_saved(conn: Connection, lists: Lists) -> None:
    await lists.run(ASHA, record(2), ALI, record(3))
    moved = record(1, workplace="Wizara ya Maji")
    for order in ((0, 1), (1, 0)):
        await lists.run(moved, record(2), ALI, record(3), order=order)
    assert rows(conn, "SELECT name, current_workplace FROM employees ORDER BY zan_id LIMIT 1") == [
        ("Asha Mtu 1 Makame", "Wizara ya Maji")
    ]
    assert rows(conn, "SELECT run_id, changes FROM employee_changes") == [
        (
            2,
            {
                "current_workplace": ["Wizara ya Afya", "Wizara ya Maji"],
                "ministry": ["Wizara ya Afya", "Wizara ya Maji"],
            },
        )
    ]
    assert rows(
        conn,
        "SELECT w.name FROM employees e JOIN workplaces w ON w.id = e.workplace_id ORDER BY zan_id LIMIT 1",
    ) == [("Wizara ya Maji",)]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("is_on_one_page", [True, False])
async def test_the_history_shows_the_owner_alone_where_both_people_moved(
    conn: Connection, lists: Lists, *, order: tuple[int, int], is_on_one_page: bool
) -> None:
    """The row passed through the record of another person, who shares a part of what changed."""
    await lists.run(ASHA, record(2), record(3), record(4))
    moved, ali = (
        record(1, workplace="Wizara ya Maji", **of)
        for of in ({}, {"firstName": "Ali", "birthDate": "1970-01-02T00:00:00", "payrollNumber": "777001"})
    )
    rest = (record(2), record(3))
    await lists.run(*((moved, ali, *rest) if is_on_one_page else (moved, rest[0], ali, rest[1])), order=order)
    assert rows(conn, "SELECT employee_id, changes FROM employee_changes") == [
        (
            1,
            {
                "current_workplace": ["Wizara ya Afya", "Wizara ya Maji"],
                "ministry": ["Wizara ya Afya", "Wizara ya Maji"],
            },
        )
    ]
    assert rows(conn, "SELECT changed FROM run_progress WHERE run_id = 2") == [(1,)]


async def test_when_hrims_corrects_the_zan_id_both_are_employees(conn: Connection, lists: Lists) -> None:
    await lists.run(ASHA, record(2), ALI, record(3))
    corrected = record(9, firstName="Ali", birthDate="1970-01-02T00:00:00", payrollNumber="777001")
    _, outcome = await lists.run(ASHA, record(2), corrected, record(3))
    assert outcome == "complete"
    assert len(lists.names()) == 4
    assert rows(conn, "SELECT closed_run_id FROM reject_cases") == [(2,)]


async def test_a_copy_of_a_record_is_a_repeat_and_no_reject(conn: Connection, lists: Lists) -> None:
    _, outcome = await lists.run(ASHA, record(2), ASHA, record(3))
    assert outcome == "incomplete"
    assert rows(conn, "SELECT people, seen_twice, missing, trouble FROM runs") == [
        (3, 1, 1, "HRIMS gave 1 person twice, and may have left out as many.")
    ]
    assert rows(conn, "SELECT count(*) FROM rejects") == [(0,)]


async def test_a_copy_that_differs_elsewhere_writes_no_history(conn: Connection, lists: Lists) -> None:
    copy = record(1, workplace="Wizara ya Maji")
    for order in ((0, 1), (1, 0), (0, 1)):
        await lists.run(ASHA, record(2), copy, record(3), order=order)
    assert rows(conn, "SELECT current_workplace FROM employees ORDER BY zan_id LIMIT 1") == [
        ("Wizara ya Afya",)
    ]
    assert rows(conn, "SELECT count(*) FROM employee_changes") == [(0,)]


async def test_a_person_who_was_corrected_and_is_listed_once_is_a_change(
    conn: Connection, lists: Lists
) -> None:
    await lists.run(ASHA, record(2))
    _, outcome = await lists.run(ALI, record(2))
    assert outcome == "complete"
    assert lists.names()[0] == "Ali Mtu 1 Makame"
    assert rows(conn, "SELECT count(*) FROM employee_changes") == [(1,)]


async def test_resolving_again_changes_nothing(conn: Connection, lists: Lists) -> None:
    attempt = await begin_new_run(conn, lists.pool, lists.institution, page_size=2)
    await save(lists.pool, attempt, page([ASHA, ALI], total=2, size=2))
    for _ in range(2):
        await resolve(attempt, lists.pool, [1])
        assert rows(conn, "SELECT people, cardinality(record_digests) FROM run_pages") == [([1], 1)]
        assert rows(conn, "SELECT count(*) FROM rejects") == [(1,)]


async def test_a_preview_shows_the_reject_and_saves_nothing(conn: Connection, pool: AsyncPool) -> None:
    at = institution(conn)
    attempt = await begin(conn, pool, queue(conn, at))
    await save(pool, attempt, page([ASHA, record(2), ALI], total=3, size=10))
    assert await end(pool, attempt, 3) == "complete"
    assert rows(conn, "SELECT position, code, name FROM rejects") == [
        (2, "shared_zan_id", "Ali Mtu 1 Makame")
    ]
    assert rows(conn, "SELECT count(*) FROM employees") == [(0,)]
    assert rows(conn, "SELECT position FROM preview_people ORDER BY 1") == [(0,), (1,)]


async def test_a_run_that_reads_a_part_of_the_list_does_not_overwrite_the_owner(
    conn: Connection, lists: Lists
) -> None:
    """The page that holds Ali alone is read again, because of his open reject."""
    await lists.run(ASHA, record(2), ALI, record(3))
    run = retry_rejects(conn, OFFICER, lists.institution, "votecode")
    attempt = await begin(conn, lists.pool, run.run_id)
    await save(lists.pool, attempt, page([ALI, record(3)], total=4, number=1, size=2))
    assert lists.names()[0] == "Asha Mtu 1 Makame"
    assert rows(conn, "SELECT code, position FROM rejects WHERE run_id = 2") == [("shared_zan_id", 0)]
    assert rows(conn, "SELECT times, closed_at FROM reject_cases") == [(2, None)]


async def test_the_owner_behind_a_known_reject_on_one_page_is_saved(conn: Connection, lists: Lists) -> None:
    """Asha moved behind Ali, whose reject is open, and a run reads a part of the list again."""
    await lists.run(ASHA, record(2), ALI, record(3))
    run = retry_rejects(conn, OFFICER, lists.institution, "votecode")
    attempt = await begin(conn, lists.pool, run.run_id)
    await save(lists.pool, attempt, page([ALI, ASHA], total=4, number=1, size=2))
    assert lists.names()[0] == "Asha Mtu 1 Makame"
    assert rows(conn, "SELECT code, position FROM rejects WHERE run_id = 2") == [("shared_zan_id", 0)]
    assert rows(conn, "SELECT cardinality(people) FROM run_pages WHERE run_id = 2") == [(1,)]
