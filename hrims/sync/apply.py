"""Applies a preview: its pages are saved as they were fetched, without asking HRIMS, and the run ends as the
preview did.
"""

import logging

from hrims.db import AsyncPool
from hrims.errors import PreviewOutdated
from hrims.jobs.attempts.attempt import Stopping
from hrims.jobs.attempts.store import Attempt
from hrims.previews import store as previews
from hrims.remote.wire import Page
from hrims.steady import patiently
from hrims.sync import pages, reconcile
from hrims.sync.pages import Asked, Shaped
from hrims.sync.repeats.resolve import resolve
from hrims.sync.store import EDGES, FIRST, SECOND, THIRD, Ending
from hrims.sync.work import Work

log = logging.getLogger(__name__)


async def apply(work: Work) -> None:
    """Saves what a preview kept, page by page, going on where the run stopped, and ends the run.

    Raises PreviewOutdated before the first page when the difference is not the one that was approved,
    PreviewGone, Fenced, or Stopping between pages; the pages saved until then stay saved.
    """
    attempt, pool = work.attempt, work.pool
    assert attempt.of_run_id is not None
    for reading, size, number in await patiently(lambda: _begin(attempt, pool)):
        if work.is_stopping():
            raise Stopping
        asked = await _read(attempt.of_run_id, pool, reading, size, number)
        await pages.save(attempt, asked, pool, reading=reading)
    ending, readings = await _ending(attempt.of_run_id, pool)
    await resolve(attempt, pool, [FIRST, EDGES, SECOND, THIRD])
    await reconcile.end(attempt, pool, work.settings, ending, readings)
    log.info("run %s applied preview %s, which ended %s", attempt.run_id, attempt.of_run_id, ending.outcome)


async def _begin(attempt: Attempt, pool: AsyncPool) -> list[tuple[int, int, int]]:
    """The pages that are still to be saved, if somebody approved what they would change."""
    async with pool.connection() as conn:
        version, has_begun = await previews.approved(conn, attempt)
        if not has_begun:
            assert attempt.of_run_id is not None
            now = await previews.difference_later(conn, attempt.of_run_id)
            if now.version != version:
                raise PreviewOutdated
        return await previews.pages_to_apply(conn, attempt)


async def _read(preview_id: int, pool: AsyncPool, reading: int, size: int, number: int) -> Asked:
    async def read() -> previews.StagedPage:
        async with pool.connection() as conn:
            return await previews.staged_page(conn, preview_id, reading, size, number)

    staged = await patiently(read)
    rows, repeats = pages.split_repeats(staged.rows)
    shaped = Shaped(rows, repeats, staged.rejects, staged.fingerprint)
    return Asked(Page(number, size, staged.total, []), 0, shaped)


async def _ending(preview_id: int, pool: AsyncPool) -> tuple[Ending, tuple[int, ...]]:
    async def read() -> tuple[Ending, tuple[int, ...]]:
        async with pool.connection() as conn:
            *ending, readings = await previews.ending(conn, preview_id)
            return Ending(*ending), tuple(readings)

    return await patiently(read)
