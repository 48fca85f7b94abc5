"""A page is saved whole or not at all: people, history, listings, rejects, counters, checkpoint."""

import asyncio
from typing import Any

import psycopg
import pytest

from hrims.db import AsyncPool, Connection
from hrims.employees import store as employees
from hrims.errors import StaleAttempt
from hrims.jobs.attempts.store import Attempt
from hrims.sync import pages
from hrims.sync.pages import FetchedPage
from tests.database.runs import begin, enqueue_run_of, institution, rows, wait_until_blocked
from tests.support.databases import BLOCKED
from tests.support.people import page, record


async def save(attempt: Attempt, pool: AsyncPool, records: list[dict[str, Any]], **more: Any) -> None:
    """Save records as one page of the attempt's run."""
    fetched = page(records, total=more.pop("total", len(records)), size=attempt.page_size, **more)
    await pages.save(attempt, FetchedPage(fetched, 5, pages.map_page(fetched)), pool, reading=1)


@pytest.fixture
async def attempt(conn: Connection, pool: AsyncPool) -> Attempt:
    """Return the first attempt at a run of the ministry of health."""
    return await begin(conn, pool, enqueue_run_of(conn, institution(conn)))


async def test_it_works(conn: Connection, pool: AsyncPool, attempt: Attempt) -> None:
    await save(attempt, pool, [record(n) for n in range(3)], total=3)
    assert rows(conn, "SELECT zan_id, name, gender, current_workplace FROM employees ORDER BY 1") == [
        (f"58033000{n}", f"Asha Mtu {n} Makame", "Female", "Wizara ya Afya") for n in range(3)
    ]
    assert rows(conn, "SELECT institution_id, identifier_type, count(*) FROM listings GROUP BY 1, 2") == [
        (attempt.institution_id, "votecode", 3)
    ]
    assert rows(
        conn, "SELECT pages, fetched, saved, new, changed, unchanged, remote_total FROM run_progress"
    ) == [(1, 3, 3, 3, 0, 0, 3)]
    assert rows(conn, "SELECT page_number, records, cardinality(people) FROM run_pages") == [(0, 3, 3)]


async def test_people_of_unchanged_records_are_not_written_again(
    conn: Connection, pool: AsyncPool, attempt: Attempt
) -> None:
    await save(attempt, pool, [record(n) for n in range(50)])
    before = rows(conn, "SELECT id, ctid, xmin, updated_at FROM employees ORDER BY id")
    await save(attempt, pool, [record(n) for n in range(50)], number=1)
    assert rows(conn, "SELECT id, ctid, xmin, updated_at FROM employees ORDER BY id") == before
    assert rows(conn, "SELECT new, changed, unchanged FROM run_progress") == [(50, 0, 50)]
    assert rows(conn, "SELECT count(*) FROM employee_changes") == [(0,)]
    assert rows(conn, "SELECT count(*) FROM listings") == [(50,)]


async def test_a_change_is_written_with_what_it_was(
    conn: Connection, pool: AsyncPool, attempt: Attempt
) -> None:
    await save(attempt, pool, [record(1), record(2)])
    await save(attempt, pool, [record(1, lastName="Ali", birthDate=None), record(2)], number=1)
    assert rows(conn, "SELECT name, date_of_birth FROM employees ORDER BY zan_id LIMIT 1") == [
        ("Asha Mtu 1 Ali", None)
    ]
    assert rows(conn, "SELECT run_id, changes FROM employee_changes") == [
        (
            attempt.run_id,
            {"name": ["Asha Mtu 1 Makame", "Asha Mtu 1 Ali"], "date_of_birth": ["1990-09-17", None]},
        )
    ]
    assert rows(conn, "SELECT new, changed, unchanged FROM run_progress") == [(2, 1, 1)]


async def test_the_same_person_twice_on_a_page_is_kept_once_and_counted(
    conn: Connection, pool: AsyncPool, attempt: Attempt
) -> None:
    await save(attempt, pool, [record(1), record(2), record(1, lastName="Ali")])
    assert rows(conn, "SELECT name FROM employees ORDER BY 1") == [
        ("Asha Mtu 1 Makame",),
        ("Asha Mtu 2 Makame",),
    ]
    assert rows(conn, "SELECT fetched, saved, repeated FROM run_progress") == [(3, 2, 1)]


async def test_what_cannot_be_kept_is_a_reject_with_its_place_and_reason(
    conn: Connection, pool: AsyncPool, attempt: Attempt
) -> None:
    await save(attempt, pool, [record(1), record(2, zanIdNumber=" "), record(3, birthDate="soon")], number=4)
    assert rows(conn, "SELECT page_number, position, code, field FROM rejects ORDER BY position") == [
        (4, 1, "no_zan_id", "zan_id"),
        (4, 2, "bad_date", "date_of_birth"),
    ]
    assert rows(conn, "SELECT saved, rejected FROM run_progress") == [(1, 2)]


async def test_an_empty_page_is_saved(conn: Connection, pool: AsyncPool, attempt: Attempt) -> None:
    await save(attempt, pool, [], total=0)
    assert rows(conn, "SELECT records, people FROM run_pages") == [(0, [])]


async def test_a_page_whose_commit_got_lost_is_found_saved(
    conn: Connection, pool: AsyncPool, attempt: Attempt
) -> None:
    await save(attempt, pool, [record(1)])
    await save(attempt, pool, [record(1)])
    assert rows(conn, "SELECT pages, fetched FROM run_progress") == [(1, 1)]


async def test_an_attempt_that_was_overtaken_saves_nothing(
    conn: Connection, pool: AsyncPool, attempt: Attempt
) -> None:
    successor = await begin(conn, pool, attempt.run_id)
    with pytest.raises(StaleAttempt):
        await save(attempt, pool, [record(1)])
    assert rows(conn, "SELECT count(*) FROM employees") == [(0,)]
    assert rows(conn, "SELECT count(*) FROM run_pages") == [(0,)]
    await save(successor, pool, [record(1)])
    assert rows(conn, "SELECT count(*) FROM employees") == [(1,)]


async def test_a_cancelled_run_saves_nothing_more(
    conn: Connection, pool: AsyncPool, attempt: Attempt
) -> None:
    conn.execute("UPDATE runs SET state = 'cancelled', finished_at = now()")
    with pytest.raises(StaleAttempt):
        await save(attempt, pool, [record(1)])
    assert rows(conn, "SELECT count(*) FROM employees") == [(0,)]


async def test_a_new_attempt_waits_for_a_page_that_is_being_saved(
    conn: Connection, dsn: str, pool: AsyncPool, attempt: Attempt
) -> None:
    """The fence holds in both directions: no attempt can take over while a page is being saved."""
    with psycopg.connect(dsn) as saver:
        saver.execute("SELECT FROM runs WHERE id = %s FOR SHARE", (attempt.run_id,))
        taking_over = asyncio.create_task(begin(conn, pool, attempt.run_id))
        await wait_until_blocked(conn)
        assert not taking_over.done()
        saver.commit()
        assert (await taking_over).number == attempt.number + 1


async def test_two_runs_that_list_the_same_people_do_not_lose_or_block_one_another(
    conn: Connection, pool: AsyncPool
) -> None:
    here, there = institution(conn), institution(conn, "TUME", "037", "129673100")
    attempt_ = await begin(conn, pool, enqueue_run_of(conn, here))
    two = await begin(conn, pool, enqueue_run_of(conn, there, "037"))
    people = [record(n) for n in range(200)]
    for number in range(10):
        change = {"lastName": f"Ali {number}"}
        await asyncio.gather(
            save(
                attempt_,
                pool,
                [record(n, **change) for n in range(number * 10, 100 + number * 10)],
                number=number,
            ),
            save(two, pool, people[number * 10 : 100 + number * 10][::-1], number=number),
        )
    assert rows(conn, "SELECT count(*), count(DISTINCT zan_id) FROM employees") == [(190, 190)]
    assert rows(conn, "SELECT DISTINCT count(*) FROM listings GROUP BY institution_id") == [(190,)]


async def test_an_employee_that_another_run_writes_meanwhile_is_not_counted_twice(
    conn: Connection, pool: AsyncPool
) -> None:
    here, there = institution(conn), institution(conn, "TUME", "037", "129673100")
    attempt_ = await begin(conn, pool, enqueue_run_of(conn, here))
    two = await begin(conn, pool, enqueue_run_of(conn, there, "037"))
    await save(attempt_, pool, [record(1)])
    records = [record(1, lastName="Ali"), record(2)]
    met = pages.map_page(page(records, total=2)).rows
    async with pool.connection() as first:
        await employees.save_rows(
            first, met, run_id=attempt_.run_id, institution_id=here, identifier_type="votecode"
        )
        second = asyncio.create_task(save(two, pool, records))
        await wait_until_blocked(conn)
    await second
    counts = "SELECT new, changed, unchanged, saved FROM run_progress WHERE run_id = %s"
    assert conn.execute(counts, (two.run_id,)).fetchall() == [(0, 0, 2, 2)]
    assert rows(conn, "SELECT run_id, changes FROM employee_changes") == [
        (attempt_.run_id, {"name": ["Asha Mtu 1 Makame", "Asha Mtu 1 Ali"]})
    ]
    assert rows(conn, "SELECT institution_id, count(*) FROM listings GROUP BY 1 ORDER BY 1") == [
        (here, 2),
        (there, 2),
    ]


async def test_pages_with_a_person_added_meanwhile_do_not_deadlock(
    conn: Connection, dsn: str, pool: AsyncPool, attempt: Attempt, caplog: pytest.LogCaptureFixture
) -> None:
    """The added person is first in key order; later keys must not be locked before it."""
    there = institution(conn, "TUME", "037", "129673100")
    two = await begin(conn, pool, enqueue_run_of(conn, there, "037"))
    await save(attempt, pool, [record(n) for n in (5, 7)])
    with psycopg.connect(dsn) as adding, psycopg.connect(dsn) as holding:
        adding.execute(
            "INSERT INTO employees (zan_id, status, current_workplace, workplace_id, institution_id,"
            " first_run_id, last_changed_run_id)"
            " SELECT '580330001', 'Confirmed', name, id, institution_id, 1, 1 FROM workplaces"
        )
        holding.execute("SELECT FROM employees WHERE zan_id = '580330007' FOR UPDATE")
        changed = [record(n, lastName="Ali") for n in (1, 5, 7)]
        first = asyncio.create_task(save(attempt, pool, changed, number=1))
        await _until_waiting(conn, adding.info.backend_pid, 1)
        adding.commit()
        await _until_waiting(conn, holding.info.backend_pid, 1)
        second = asyncio.create_task(save(two, pool, [record(n, lastName="Omar") for n in (1, 5)]))
        await _until_waiting(conn, None, 2)
        holding.commit()
        await asyncio.gather(first, second)
    assert "deadlock" not in caplog.text
    assert rows(conn, "SELECT count(*) FROM listings") == [(5,)]


async def _until_waiting(conn: Connection, for_pid: int | None, many: int) -> None:
    """Wait until this many sessions wait for a lock, or for the session ``for_pid``."""
    waiting = f"{BLOCKED} AND (%(pid)s::int IS NULL OR %(pid)s = ANY (pg_blocking_pids(s.pid)))"
    async with asyncio.timeout(10):
        while len(conn.execute(waiting, {"pid": for_pid}).fetchall()) < many:  # noqa: ASYNC110 - there is no signal
            await asyncio.sleep(0.01)


async def test_workplaces_match_by_name_but_for_case_spaces_and_punctuation(
    conn: Connection, pool: AsyncPool, attempt: Attempt
) -> None:
    names = ["WIZARA YA AFYA", "wizara  ya afya.", "Wizara ya Elimu", " - ", "Wizara ya Afya Zanzibar"]
    await save(attempt, pool, [record(n, workplace=name) for n, name in enumerate(names)])
    assert rows(conn, "SELECT institution_id IS NOT NULL FROM employees ORDER BY zan_id") == [
        (True,), (True,), (False,), (False,), (False,)
    ]  # fmt: skip
    assert rows(conn, "SELECT unmatched FROM run_progress") == [(3,)]
    assert rows(conn, "SELECT count(*) FROM workplaces WHERE institution_id IS NULL") == [(3,)]


async def test_employees_of_an_unknown_workplace_move_when_it_is_registered(
    conn: Connection, pool: AsyncPool, attempt: Attempt
) -> None:
    await save(attempt, pool, [record(1, workplace="Tume ya Utumishi"), record(2)])
    registered = institution(conn, "TUME YA UTUMISHI", "037", "129673100")
    assert rows(conn, "SELECT institution_id FROM employees ORDER BY zan_id") == [
        (registered,),
        (attempt.institution_id,),
    ]


async def test_a_person_without_a_workplace_is_kept_without_an_institution(
    conn: Connection, pool: AsyncPool, attempt: Attempt
) -> None:
    await save(attempt, pool, [record(1, workplace=None)])
    assert rows(conn, "SELECT current_workplace, workplace_id, institution_id FROM employees") == [
        (None,) * 3
    ]


async def test_a_page_that_was_empty_is_saved_when_the_list_has_grown(
    conn: Connection, pool: AsyncPool, attempt: Attempt
) -> None:
    await save(attempt, pool, [], total=0)
    await save(attempt, pool, [record(1), record(2)], total=2)
    await save(attempt, pool, [record(1), record(2)], total=2)
    assert rows(conn, "SELECT page_number, records, cardinality(people) FROM run_pages") == [(0, 2, 2)]
    assert rows(conn, "SELECT count(*) FROM employees") == [(2,)]
    assert rows(conn, "SELECT fetched, saved FROM run_progress") == [(2, 2)]
