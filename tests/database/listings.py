"""Runs over invented listings, brought by the product's own functions without a remote."""

from hrims.config import load
from hrims.db import AsyncPool, Connection
from hrims.employees.mapping import Reject
from hrims.jobs.attempts.store import Attempt
from hrims.remote.wire import Page
from hrims.sync import pages, reconcile
from hrims.sync.pages import Asked, Shaped
from hrims.sync.repeats.resolve import resolve
from hrims.sync.spans import Span
from tests.database.runs import ask_for, begin


async def begun(
    conn: Connection, pool: AsyncPool, institution_id: int, page_size: int = 100, vote: str = "001"
) -> Attempt:
    """An attempt at a new run of the institution."""
    return await begin(conn, pool, ask_for(conn, institution_id, vote, page_size))


async def save(pool: AsyncPool, attempt: Attempt, page: Page, reading: int = 1) -> None:
    """Saves a page as the worker does."""
    await pages.save(attempt, Asked(page, 0, pages.shape(page)), pool, reading=reading)


async def save_broken(pool: AsyncPool, attempt: Attempt, place: int, total: int) -> None:
    """Saves a record that breaks HRIMS."""
    await pages.save_broken(attempt, Span(1, place), total, pool, reading=1)


async def save_rejects_of_preview(
    pool: AsyncPool, attempt: Attempt, number: int, size: int, total: int, rejects: list[tuple[int, Reject]]
) -> None:
    """Saves a page that a preview fetched, as applying it does: without the records themselves."""
    asked = Asked(Page(number, size, total, []), 0, Shaped([], [], rejects, None))
    await pages.save(attempt, asked, pool, reading=1)


async def end(pool: AsyncPool, attempt: Attempt, total: int, readings: tuple[int, ...] = (1,)) -> str:
    """Adds up and ends the run; returns its outcome."""
    if total == attempt.page_size:
        # A list of one full page is proven by the empty page behind it.
        await save(pool, attempt, Page(1, attempt.page_size, total, []), readings[0])
    await resolve(attempt, pool, list(readings))
    counted = await reconcile.add_up(attempt, pool, list(readings), total)
    return await reconcile.finish(attempt, pool, load({}), counted, repaired=len(readings) > 1)


async def run_over(conn: Connection, pool: AsyncPool, institution_id: int, *listing: Page) -> int:
    """A whole run over these pages; returns its id."""
    attempt = await begun(conn, pool, institution_id, listing[0].size)
    for page in listing:
        await save(pool, attempt, page)
    await end(pool, attempt, listing[-1].total)
    return attempt.run_id
