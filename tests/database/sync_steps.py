"""Steps of runs over invented lists, by the product's own functions and without a remote."""

from hrims.config import load
from hrims.db import AsyncPool, Connection
from hrims.employees.rejects import Reject
from hrims.jobs.attempts.store import Attempt
from hrims.remote.wire import Page
from hrims.sync import pages, reconcile
from hrims.sync.pages import FetchedPage, MappedPage
from hrims.sync.repeats.resolve import resolve
from hrims.sync.spans import Span
from tests.database.runs import begin, enqueue_run_of


async def begin_new_run(
    conn: Connection, pool: AsyncPool, institution_id: int, page_size: int = 100, vote: str = "001"
) -> Attempt:
    """Return an attempt at a new run of the institution."""
    return await begin(conn, pool, enqueue_run_of(conn, institution_id, vote, page_size))


async def save(pool: AsyncPool, attempt: Attempt, page: Page, reading: int = 1) -> None:
    """Save a page as the worker does."""
    await pages.save(attempt, FetchedPage(page, 0, pages.map_page(page)), pool, reading=reading)


async def save_broken(pool: AsyncPool, attempt: Attempt, place: int, total: int) -> None:
    """Save a record that breaks HRIMS."""
    await pages.save_broken(attempt, Span(1, place), total, pool, reading=1)


async def save_rejects_of_preview(
    pool: AsyncPool, attempt: Attempt, number: int, size: int, total: int, rejects: list[tuple[int, Reject]]
) -> None:
    """Save a page that a preview fetched, as applying it does: without the records themselves."""
    requested = FetchedPage(Page(number, size, total, []), 0, MappedPage([], [], rejects, None))
    await pages.save(attempt, requested, pool, reading=1)


async def end(pool: AsyncPool, attempt: Attempt, total: int, readings: tuple[int, ...] = (1,)) -> str:
    """Reconcile and end the run, and return its outcome."""
    if total == attempt.page_size:
        # A list of one full page is proven by the empty page behind it.
        await save(pool, attempt, Page(1, attempt.page_size, total, []), readings[0])
    await resolve(attempt, pool, list(readings))
    counted = await reconcile.reconcile(attempt, pool, list(readings), total)
    return await reconcile.finish(attempt, pool, load({}), counted, repaired=len(readings) > 1)


async def sync_pages(conn: Connection, pool: AsyncPool, institution_id: int, *listing: Page) -> int:
    """Run over these pages from start to end and return the run's id."""
    attempt = await begin_new_run(conn, pool, institution_id, listing[0].size)
    for page in listing:
        await save(pool, attempt, page)
    await end(pool, attempt, listing[-1].total)
    return attempt.run_id
