"""A page size that HRIMS does not give: the pass starts again with another, and later runs use it."""

import pytest

from hrims.access.scope import EVERYTHING
from hrims.config import load
from hrims.db import AsyncPool, Connection
from hrims.jobs.attempts.store import Attempt
from hrims.runs import store as run_store
from hrims.sync import reconcile
from hrims.sync.page_fit import store
from hrims.sync.store import FIRST
from tests.database.runs import institution, rows
from tests.database.sync_steps import begin_new_run, save
from tests.support.people import page, record

URL, OTHER_URL = "https://hrims.example/api", "https://other.example/api"


async def size_of(pool: AsyncPool, attempt: Attempt, url: str = URL) -> int:
    """Return the page size with which this attempt begins."""
    async with pool.connection() as conn:
        await store.use_known_size(conn, attempt, url)
        return await store.fitted_page_size(conn, attempt)


async def complete_with(
    conn: Connection, pool: AsyncPool, at: int, requested: int, found: int, missing: int = 0
) -> None:
    """Insert an ended run that asked for one page size and found another."""
    attempt = await begin_new_run(conn, pool, at, requested)
    async with pool.connection() as other:
        await store.restart_pass(other, attempt, FIRST, found, "HRIMS gives other pages.")
    await save(pool, attempt, page([record(1)], total=1 + missing, size=found))
    counted = await reconcile.reconcile(attempt, pool, [FIRST], 1 + missing)
    await reconcile.finish(attempt, pool, load({}), counted, repaired=False, base_url=URL)


@pytest.fixture
def at(conn: Connection) -> int:
    """Return an institution."""
    return institution(conn)


async def test_it_works(conn: Connection, pool: AsyncPool, at: int) -> None:
    await complete_with(conn, pool, at, 100, 50)
    assert await size_of(pool, await begin_new_run(conn, pool, at, 100)) == 50
    assert rows(conn, "SELECT page_size, fitted_page_size, page_finding FROM runs ORDER BY id") == [
        (100, 50, "HRIMS gives other pages."),
        (100, 50, "HRIMS gives other pages."),
    ]


async def test_a_smaller_request_stays(conn: Connection, pool: AsyncPool, at: int) -> None:
    await complete_with(conn, pool, at, 100, 50)
    assert await size_of(pool, await begin_new_run(conn, pool, at, 20)) == 20


async def test_a_server_that_gives_larger_pages_is_asked_for_them(
    conn: Connection, pool: AsyncPool, at: int
) -> None:
    await complete_with(conn, pool, at, 20, 60)
    assert await size_of(pool, await begin_new_run(conn, pool, at, 20)) == 60


async def test_another_endpoint_is_not_concerned(conn: Connection, pool: AsyncPool, at: int) -> None:
    await complete_with(conn, pool, at, 100, 50)
    assert await size_of(pool, await begin_new_run(conn, pool, at, 100), OTHER_URL) == 100


async def test_an_incomplete_run_teaches_nothing(conn: Connection, pool: AsyncPool, at: int) -> None:
    await complete_with(conn, pool, at, 100, 50, missing=1)
    assert await size_of(pool, await begin_new_run(conn, pool, at, 100)) == 100


async def test_using_it_keeps_what_is_known(conn: Connection, pool: AsyncPool, at: int) -> None:
    await complete_with(conn, pool, at, 100, 50)
    before = rows(conn, "SELECT * FROM remote_page_sizes")
    attempt = await begin_new_run(conn, pool, at, 100)
    await save(pool, attempt, page([record(1)], total=1, size=await size_of(pool, attempt)))
    counted = await reconcile.reconcile(attempt, pool, [FIRST], 1)
    await reconcile.finish(attempt, pool, load({}), counted, repaired=False, base_url=URL)
    assert rows(conn, "SELECT * FROM remote_page_sizes") == before


async def test_a_smallest_and_a_largest_page_are_both_known(
    conn: Connection, pool: AsyncPool, at: int
) -> None:
    await complete_with(conn, pool, at, 100, 50)
    await complete_with(conn, pool, at, 10, 20)
    assert await size_of(pool, await begin_new_run(conn, pool, at, 10)) == 20
    assert rows(conn, "SELECT smallest, largest FROM remote_page_sizes") == [(20, 50)]


async def test_a_pass_that_starts_again_forgets_its_pages_and_keeps_the_people(
    conn: Connection, pool: AsyncPool, at: int
) -> None:
    attempt = await begin_new_run(conn, pool, at, 100)
    await save(pool, attempt, page([record(1), record(2)], total=200))
    await save(pool, attempt, page([record(1)], total=200), reading=3)
    async with pool.connection() as other:
        await store.restart_pass(other, attempt, FIRST, 50, "HRIMS gives at most 50 records a page.")
    assert rows(conn, "SELECT reading FROM run_pages") == [(3,)]
    assert rows(conn, "SELECT saved, saved_before, fetched, pages, new FROM run_progress") == [
        (0, 2, 0, 0, 2)
    ]
    run = run_store.find_run(conn, EVERYTHING, attempt.run_id)
    assert run
    assert (run.saved, run.saved_before, run.current_page, run.percent) == (0, 2, 0, 0)
    assert rows(conn, "SELECT count(*) FROM employees") == [(2,)]
    assert await size_of(pool, attempt) == 50


async def test_a_smaller_request_says_nothing(conn: Connection, pool: AsyncPool, at: int) -> None:
    await complete_with(conn, pool, at, 100, 50)
    assert await size_of(pool, await begin_new_run(conn, pool, at, 20)) == 20
    assert rows(conn, "SELECT fitted_page_size, page_finding FROM runs WHERE id = 2") == [(None, None)]


async def test_a_size_below_ten_is_not_kept(conn: Connection, pool: AsyncPool, at: int) -> None:
    """It is the fault of one list; every later run of the endpoint would take a request a person."""
    await complete_with(conn, pool, at, 100, 9)
    assert await size_of(pool, await begin_new_run(conn, pool, at, 100)) == 100


async def test_it_can_be_forgotten(conn: Connection, pool: AsyncPool, at: int) -> None:
    await complete_with(conn, pool, at, 100, 50)
    attempt = await begin_new_run(conn, pool, at, 100)
    async with pool.connection() as other:
        await store.delete_page_size(other, attempt, URL)
    assert await size_of(pool, attempt) == 100
