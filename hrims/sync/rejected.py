"""Fetches rejected records again.

The pages that hold open rejects are read once and saved like any page. Cases whose record came right are
closed, and the run ends. It proves nothing about the rest of the institution's list.
"""

from collections.abc import Iterable

from hrims.db import AsyncPool
from hrims.jobs.attempts.store import Attempt
from hrims.rejects import cases
from hrims.rejects import store as rejects
from hrims.rejects.store import RequestedCase
from hrims.resilience import retry_on_disconnect
from hrims.sync import passes, store, story
from hrims.sync.context import SyncContext
from hrims.sync.page_fit.fit import page_size
from hrims.sync.repeats.resolve import resolve
from hrims.sync.spans import END_OF_ANY_LIST, Coverage
from hrims.sync.store import FIRST, Ending


async def sync_rejected(context: SyncContext) -> None:
    """Read the pages around the open rejects, from the checkpoint on.

    Raises the errors of ``run.sync_listing``.
    """
    attempt, pool = context.attempt, context.pool
    async with context.use_remote():
        requested = await retry_on_disconnect(lambda: _find_requested(pool, attempt))
        elsewhere = outside(requested, await page_size(context))
        await passes.read_part(context, FIRST, elsewhere)
        await resolve(attempt, pool, [FIRST])
    outcome = await _finish(attempt, pool)
    await story.log_end(attempt, pool, outcome)


def outside(requested: Iterable[RequestedCase], size: int) -> list[tuple[int, int]]:
    """Return the positions that need not be read: all except the pages of ``size`` that hold an open reject.

    A record that breaks every page is read alone.
    """
    pages = Coverage()
    for case in requested:
        start = case.place if case.alone else case.place // size * size
        pages.add(start, start + (1 if case.alone else size))
    return list(pages.gaps(END_OF_ANY_LIST))


async def _find_requested(pool: AsyncPool, attempt: Attempt) -> list[RequestedCase]:
    async with pool.connection() as conn:
        return await rejects.list_requested(conn, attempt.run_id)


async def _finish(attempt: Attempt, pool: AsyncPool) -> str:
    """End the run.

    It is complete if every reject was met again or came right; else those not found are missing.
    """

    async def write() -> str:
        async with pool.connection() as conn:
            await store.check_attempt(conn, attempt)
            await cases.close_cases(conn, attempt, "", (FIRST,))
            missing = await rejects.save_results(conn, attempt.run_id)
            _, total = await store.saved_pages(conn, attempt, FIRST)
            counts = await store.count(conn, attempt, [FIRST], total or 0)
            outcome = "incomplete" if missing else "complete"
            ending = Ending(
                outcome, total or 0, counts.people, counts.rejected, 0, counts.seen_twice, missing, None
            )
            await store.end(conn, attempt, ending, (FIRST,))
            return outcome

    return await retry_on_disconnect(write)
