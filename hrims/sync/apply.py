"""Applies a preview.

Input: the stored pages of a preview. Output: the same pages saved, without a request to HRIMS, and a run with
the outcome of the preview.
"""

from hrims.db import AsyncPool
from hrims.errors import PreviewOutdated
from hrims.jobs.attempts.attempt import ShutdownRequested
from hrims.jobs.attempts.store import Attempt
from hrims.log import get_logger
from hrims.previews import store as previews
from hrims.remote.wire import Page
from hrims.resilience import retry_on_disconnect
from hrims.sync import pages, reconcile, story
from hrims.sync.context import SyncContext
from hrims.sync.pages import FetchedPage, MappedPage
from hrims.sync.repeats.resolve import resolve
from hrims.sync.store import EDGES, FIRST, SECOND, THIRD, Ending

log = get_logger(__name__)


async def apply(context: SyncContext) -> None:
    """Save the stored pages of a preview, from the checkpoint on, and end the run.

    Raises PreviewOutdated before the first page if the difference is not the approved one. Raises
    PreviewGone, StaleAttempt, or ShutdownRequested between pages. Pages that were saved before an error stay
    saved.
    """
    attempt, pool = context.attempt, context.pool
    assert attempt.of_run_id is not None
    for reading, size, number in await retry_on_disconnect(lambda: _begin(attempt, pool)):
        if context.is_stopping():
            raise ShutdownRequested
        fetched = await _read(attempt.of_run_id, pool, reading, size, number)
        await pages.save(attempt, fetched, pool, reading=reading)
    ending, readings = await _ending(attempt.of_run_id, pool)
    await resolve(attempt, pool, [FIRST, EDGES, SECOND, THIRD])
    await reconcile.end(attempt, pool, context.settings, ending, readings)
    log.info("preview_applied", preview=attempt.of_run_id, outcome=ending.outcome)
    await story.log_end(attempt, pool, ending.outcome)


async def _begin(attempt: Attempt, pool: AsyncPool) -> list[tuple[int, int, int]]:
    """Return the pages that are not saved yet.

    Raises PreviewOutdated if none is saved and the difference is not the approved one.
    """
    async with pool.connection() as conn:
        version, has_begun = await previews.find_approved_version(conn, attempt)
        if not has_begun:
            assert attempt.of_run_id is not None
            now = await previews.compare_async(conn, attempt.of_run_id)
            if now.version != version:
                raise PreviewOutdated
        return await previews.list_pages_to_apply(conn, attempt)


async def _read(preview_id: int, pool: AsyncPool, reading: int, size: int, number: int) -> FetchedPage:
    async def read() -> previews.StagedPage:
        async with pool.connection() as conn:
            return await previews.find_staged_page(conn, preview_id, reading, size, number)

    staged = await retry_on_disconnect(read)
    rows, repeats = pages.split_repeats(staged.rows)
    mapped = MappedPage(rows, repeats, staged.rejects, staged.fingerprint)
    return FetchedPage(Page(number, size, staged.total, []), 0, mapped)


async def _ending(preview_id: int, pool: AsyncPool) -> tuple[Ending, tuple[int, ...]]:
    async def read() -> tuple[Ending, tuple[int, ...]]:
        async with pool.connection() as conn:
            *ending, readings = await previews.find_result(conn, preview_id)
            return Ending(*ending), tuple(readings)

    return await retry_on_disconnect(read)
