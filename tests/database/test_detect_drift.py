"""Drift is summed with the run, over its first reading, and compared with the last run of the listing."""

from typing import Any

from hrims.db import AsyncPool, Connection
from hrims.remote.wire import Page, decode_page
from tests.database.runs import institution
from tests.database.sync_steps import begin_new_run, end, save, sync_pages
from tests.remote.answers import page as answer
from tests.support.people import record


def listing(count: int = 40, total: int | None = None, number: int = 0, **changes: Any) -> Page:
    """Return a page of people as it was read from an answer."""
    people = [record(number * 100 + index, **changes) for index in range(count)]
    around = {"currentPage": number, "overallDataSize": total or count}
    return decode_page(answer(*people, **around), number=number, size=100)


def drift(conn: Connection) -> list[Any]:
    return conn.execute("SELECT run_id, before_run_id, records, people, sampled FROM run_drift").fetchall()


def told(conn: Connection) -> list[Any]:
    return conn.execute("SELECT job_id, before_job_id, kind, field, now, before FROM drift_v").fetchall()


async def test_it_works(conn: Connection, pool: AsyncPool) -> None:
    at = institution(conn)
    first = await sync_pages(conn, pool, at, listing(primaryPhone="0770000000"))
    second = await sync_pages(conn, pool, at, listing(primaryPhone=None))
    assert drift(conn) == [(first, None, 40, 40, 20), (second, first, 40, 40, 20)]
    assert told(conn) == [(second, first, "emptier", "phone_number", 1.0, 0.0)]
    rate = conn.execute("SELECT filled ->> 'phone_number' FROM run_drift ORDER BY run_id").fetchall()
    assert rate == [("40",), ("0",)]


async def test_pages_are_summed_and_further_readings_do_not_count_twice(
    conn: Connection, pool: AsyncPool
) -> None:
    at = institution(conn)
    attempt = await begin_new_run(conn, pool, at)
    for reading in (1, 3):
        await save(pool, attempt, listing(100, 140), reading=reading)
        await save(pool, attempt, listing(40, 140, 4, bloodGroup="O+"), reading=reading)
    assert await end(pool, attempt, 140) == "complete"
    assert [row[2:] for row in drift(conn)] == [(140, 140, 40)]
    unknown = conn.execute("SELECT unknown FROM run_drift").fetchall()
    assert unknown == [({"personalInfo.bloodGroup": 20},)]


async def test_another_listing_is_not_compared(conn: Connection, pool: AsyncPool) -> None:
    at, other = institution(conn), institution(conn, "WIZARA YA ELIMU", "002", "156255891")
    await sync_pages(conn, pool, at, listing(primaryPhone="0770000000"))
    attempt = await begin_new_run(conn, pool, other, vote="002")
    await save(pool, attempt, listing(primaryPhone=None))
    await end(pool, attempt, 40)
    assert told(conn) == []


async def test_a_run_that_sampled_no_record_is_not_compared_with(conn: Connection, pool: AsyncPool) -> None:
    at = institution(conn)
    await sync_pages(conn, pool, at, Page(0, 100, 40, []))
    assert conn.execute("SELECT outcome FROM runs").fetchall() == [("incomplete",)]
    first = await sync_pages(conn, pool, at, listing(bloodGroup="O+"))
    await sync_pages(conn, pool, at, Page(0, 100, 40, []))
    last = await sync_pages(conn, pool, at, listing(bloodGroup="O+", primaryPhone=None, shoeSize=41))
    assert told(conn) == [(last, first, "new_field", "personalInfo.shoeSize", 1.0, 0.0)]


async def test_a_rare_field_is_new_once_over_all_earlier_runs(conn: Connection, pool: AsyncPool) -> None:
    at = institution(conn)
    kinds: list[dict[str, Any]] = [{}, {"bloodGroup": "O+"}, {}, {"bloodGroup": "O+"}]
    for more in kinds:
        await sync_pages(conn, pool, at, listing(**more))
    assert [row[2:4] for row in told(conn)] == [("new_field", "personalInfo.bloodGroup")]


async def test_a_page_without_counts_is_left_out(conn: Connection, pool: AsyncPool) -> None:
    at = institution(conn)
    attempt = await begin_new_run(conn, pool, at)
    await save(pool, attempt, listing(100, 140))
    await save(pool, attempt, listing(40, 140, 1))
    conn.execute("UPDATE run_pages SET counts = NULL, sampled = NULL, odd = NULL WHERE page_number = 1")
    await end(pool, attempt, 140)
    assert [row[2:] for row in drift(conn)] == [(100, 100, 20)]


OLDER = """
UPDATE run_pages
SET counts = counts #- '{filled,zan_id}' #- '{filled,phone_number}' #- '{present,personalInfo}'
WHERE page_number = 0
"""
"""Makes the first page one of a version without these columns, the first of them at the front."""


async def test_a_column_that_is_added_in_the_middle_of_a_run_is_no_change(
    conn: Connection, pool: AsyncPool
) -> None:
    at = institution(conn)
    before = await sync_pages(conn, pool, at, listing(100, 140), listing(40, 140, 4))
    attempt = await begin_new_run(conn, pool, at)
    await save(pool, attempt, listing(100, 140))
    conn.execute(OLDER)
    await save(pool, attempt, listing(40, 140, 4, primaryPhone="0770000000"))
    await end(pool, attempt, 140)
    after = await sync_pages(
        conn, pool, at, listing(100, 140, primaryPhone="0770000000"), listing(40, 140, 4)
    )
    assert conn.execute(
        "SELECT run_id, (filled ->> 'name')::int, filled ? 'phone_number', present ? 'personalInfo'"
        " FROM run_drift ORDER BY run_id"
    ).fetchall() == [
        (before, 140, True, True),
        (attempt.run_id, 140, False, False),
        (after, 140, True, True),
    ]
    assert told(conn) == []
