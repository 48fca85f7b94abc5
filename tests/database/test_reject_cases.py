"""Rejects across runs: opened with a page, refreshed, closed when the record comes right, and only then."""

from typing import Any

import pytest

from hrims.db import AsyncPool, Connection
from hrims.employees.rejects import Reject
from hrims.jobs import control
from hrims.jobs.attempts.store import Attempt
from hrims.rejects.cases import close_cases
from tests.database.runs import institution
from tests.database.sync_steps import (
    begin_new_run,
    end,
    save,
    save_broken,
    save_rejects_of_preview,
    sync_pages,
)
from tests.remote import answers
from tests.support.people import page, record
from tests.support.users import ASHA

BROKEN: dict[str, Any] = {"birthDate": "yesterday"}


def cases(conn: Connection, what: str = "code, place, times, closed_run_id") -> list[Any]:
    return conn.execute(f"SELECT {what} FROM reject_cases ORDER BY place, id".encode()).fetchall()


def listing(*broken: int, total: int = 5, without_id: tuple[int, ...] = (), number: int = 0) -> Any:
    """Return a page of five people; those of these numbers have a broken date, or no ZanID."""
    people = [
        record(
            number,
            **(BROKEN if number in broken else {}),
            **({"zanIdNumber": None} if number in without_id else {}),
        )
        for number in range(number * 5, number * 5 + 5)
    ]
    return page(people, total=total, size=5, number=number)


async def test_it_works(conn: Connection, pool: AsyncPool) -> None:
    at = institution(conn)
    first = await sync_pages(conn, pool, at, listing(2))
    assert cases(conn) == [("bad_date", 2, 1, None)]
    second = await sync_pages(conn, pool, at, listing(2))
    assert cases(conn, "first_run_id, last_run_id, times, closed_at") == [(first, second, 2, None)]
    third = await sync_pages(conn, pool, at, listing())
    assert cases(conn) == [("bad_date", 2, 2, third)]


async def test_one_that_comes_back_is_opened_again(conn: Connection, pool: AsyncPool) -> None:
    at = institution(conn)
    for records in (listing(2), listing(), listing(2)):
        await sync_pages(conn, pool, at, records)
    assert cases(conn) == [("bad_date", 2, 2, None)]


async def test_a_record_that_moved_or_fails_otherwise_is_the_same_case(
    conn: Connection, pool: AsyncPool
) -> None:
    at = institution(conn)
    await sync_pages(conn, pool, at, listing(2))
    moved = page([record(9, firstName="x" * 501), record(2, firstName="x" * 501)], total=2, size=5)
    await sync_pages(conn, pool, at, moved)
    assert cases(conn, "code, place, times") == [("too_long", 0, 1), ("too_long", 1, 2)]


async def test_without_a_zan_id_payroll_number_and_name_identify_the_person(
    conn: Connection, pool: AsyncPool
) -> None:
    at = institution(conn)
    await sync_pages(conn, pool, at, listing(without_id=(1,)))
    await sync_pages(conn, pool, at, page([record(1, zanIdNumber="")], total=1, size=5))
    assert cases(conn, "code, place, times, by_place") == [("no_zan_id", 0, 2, False)]


async def test_without_either_it_goes_by_its_place(conn: Connection, pool: AsyncPool) -> None:
    at = institution(conn)
    nameless = {"personalInfo": {"firstName": "Asha"}}
    attempt = await begin_new_run(conn, pool, at, 5)
    await save(pool, attempt, page([record(0), nameless, record(2)], total=4, size=5))
    await save_broken(pool, attempt, 3, total=4)
    await end(pool, attempt, 4)
    assert cases(conn, "code, place, by_place") == [("no_zan_id", 1, True), ("remote_breaks", 3, True)]


async def test_met_twice_in_a_run_is_once(conn: Connection, pool: AsyncPool) -> None:
    at = institution(conn)
    attempt = await begin_new_run(conn, pool, at, 5)
    await save(pool, attempt, page([record(1, **BROKEN), record(1, **BROKEN)], total=4, size=2))
    await save(pool, attempt, page([record(3), record(1, **BROKEN)], total=4, size=2, number=1))
    assert cases(conn) == [("bad_date", 3, 1, None)]


async def test_an_incomplete_run_closes_what_it_kept_and_nothing_it_did_not_read(
    conn: Connection, pool: AsyncPool
) -> None:
    at = institution(conn)
    await sync_pages(conn, pool, at, listing(1, without_id=(2,), total=10), listing(7, total=10, number=1))
    assert [row[0] for row in cases(conn)] == ["bad_date", "no_zan_id", "bad_date"]
    attempt = await begin_new_run(conn, pool, at, 5)
    await save(pool, attempt, listing(total=10))
    assert await end(pool, attempt, 10) == "incomplete"
    assert [row[3] for row in cases(conn)] == [attempt.run_id, attempt.run_id, None]


async def test_a_place_proves_nothing_once_the_listing_is_of_another_length(
    conn: Connection, pool: AsyncPool
) -> None:
    at = institution(conn)
    attempt = await begin_new_run(conn, pool, at, 5)
    await save_broken(pool, attempt, 1, total=10)
    await end(pool, attempt, 10)
    shifted = await begin_new_run(conn, pool, at, 5)
    await save(pool, shifted, listing(total=9))
    await end(pool, shifted, 9)
    assert cases(conn) == [("remote_breaks", 1, 1, None)]
    same = await begin_new_run(conn, pool, at, 5)
    await save(pool, same, listing(total=10))
    await end(pool, same, 10)
    assert cases(conn) == [("remote_breaks", 1, 1, same.run_id)]


async def test_a_cancelled_run_records_its_rejects_and_closes_none(conn: Connection, pool: AsyncPool) -> None:
    at = institution(conn)
    await sync_pages(conn, pool, at, listing(1))
    attempt = await begin_new_run(conn, pool, at, 5)
    await save(pool, attempt, listing(2))
    control.cancel(conn, ASHA, attempt.run_id)
    assert cases(conn) == [("bad_date", 1, 1, None), ("bad_date", 2, 1, None)]


async def test_what_came_right_in_a_further_reading_is_closed(conn: Connection, pool: AsyncPool) -> None:
    at = institution(conn)
    attempt = await begin_new_run(conn, pool, at, 5)
    await save(pool, attempt, listing(2))
    await save(pool, attempt, listing(), reading=3)
    assert await end(pool, attempt, 5, readings=(3,)) == "complete"
    assert cases(conn) == [("bad_date", 2, 1, attempt.run_id)]


async def test_another_reject_in_its_place_makes_nothing_right(conn: Connection, pool: AsyncPool) -> None:
    """The record that broke HRIMS is given now, and has a date that cannot be read."""
    at = institution(conn)
    attempt = await begin_new_run(conn, pool, at, 5)
    await save_broken(pool, attempt, 2, 5)
    control.cancel(conn, ASHA, attempt.run_id)
    attempt = await begin_new_run(conn, pool, at, 5)
    await save(pool, attempt, listing(2))
    await end(pool, attempt, 6)
    assert {code: closed for code, _, _, closed in cases(conn)} == {"bad_date": None, "remote_breaks": None}


async def test_listings_and_institutions_do_not_share_cases(conn: Connection, pool: AsyncPool) -> None:
    at, other = institution(conn), institution(conn, "WIZARA YA ELIMU", "002", "156255891")
    await sync_pages(conn, pool, at, listing(2))
    attempt = await begin_new_run(conn, pool, other, 5, "002")
    await save(pool, attempt, listing())
    await end(pool, attempt, 5)
    assert cases(conn) == [("bad_date", 2, 1, None)]


async def test_a_preview_opens_nothing_and_applying_it_does(conn: Connection, pool: AsyncPool) -> None:
    """Applying has no records any more: whose the rejects are was noted by the preview."""
    at = institution(conn)
    await sync_pages(conn, pool, at, listing(2))
    preview = (await begin_new_run(conn, pool, at, 5))._replace(kind="preview")
    conn.execute("UPDATE runs SET kind = 'preview' WHERE id = %s", (preview.run_id,))
    await save(pool, preview, listing(2))
    await cases_settled(conn, pool, preview)
    assert cases(conn) == [("bad_date", 2, 1, None)]
    control.cancel(conn, ASHA, preview.run_id)
    apply = (await begin_new_run(conn, pool, at, 5))._replace(kind="apply", of_run_id=preview.run_id)
    conn.execute(
        "UPDATE runs SET kind = 'apply', of_run_id = %s WHERE id = %s", (preview.run_id, apply.run_id)
    )
    reject = Reject("bad_date", "date_of_birth", "The date is not one that can be read.", "58•••••02")
    await save_rejects_of_preview(pool, apply, 0, 5, 5, [(2, reject)])
    assert cases(conn) == [("bad_date", 2, 2, None)]


async def cases_settled(conn: Connection, pool: AsyncPool, attempt: Attempt) -> None:
    async with pool.connection() as other:
        await close_cases(other, attempt, "complete", (1,))


async def test_of_a_zan_id_nothing_but_the_masked_value_is_kept(conn: Connection, pool: AsyncPool) -> None:
    at = institution(conn)
    await sync_pages(conn, pool, at, listing(2, without_id=(3,)))
    for table in ("reject_cases", "rejects"):
        stored = conn.execute(f"SELECT t::text FROM {table} t".encode()).fetchall()
        assert "580330002" not in str(stored)


@pytest.mark.parametrize("odd", [b"NaN", b"-Infinity", b"[" * 3000 + b"]" * 3000])
async def test_what_is_not_kept_rejects_no_record(conn: Connection, pool: AsyncPool, odd: bytes) -> None:
    """The run accounts for all, and the one beside a kept field of that kind is a reject with its reason."""
    people = [answers.person(f"58033000{number}") | {"photo": "ODD"} for number in range(4)]
    broken = answers.person("580330004", city="ODD")
    body = answers.page(*people, broken).replace(b'"ODD"', odd)
    run_id = await sync_pages(conn, pool, institution(conn), answers.read(body, size=5))
    assert conn.execute("SELECT outcome, people FROM runs WHERE id = %s", (run_id,)).fetchone() == (
        "complete",
        4,
    )
    assert cases(conn, "code, field, place") == [("wrong_type", "personalInfo.city", 4)]


async def test_the_digest_needs_the_key(conn: Connection, pool: AsyncPool) -> None:
    at = institution(conn)
    await sync_pages(conn, pool, at, listing(2))
    plain = conn.execute("SELECT record_key = sha256('zan_id:580330002') FROM reject_cases").fetchall()
    keyed = conn.execute("SELECT record_key = record_key('zan_id:580330002') FROM reject_cases").fetchall()
    assert (plain, keyed) == ([(False,)], [(True,)])


def test_meeting_again_touches_no_index(conn: Connection) -> None:
    """What a refresh changes stands in none, so that it stays on its page of the table."""
    columns = conn.execute(
        "SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 'reject_cases'::regclass"
    ).fetchall()
    assert not any("last_" in column or "times" in column or "place" in column for (column,) in columns)
