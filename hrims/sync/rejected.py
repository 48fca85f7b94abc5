"""Asks again for the rejected: the pages that hold open rejects are read once and saved like any page; what
came right is closed, and the run ends. It says nothing about the rest of the institution.
"""

import logging
from collections.abc import Iterable

from hrims.db import AsyncPool
from hrims.errors import RemoteError
from hrims.jobs.attempts.store import Attempt
from hrims.limits import breaker
from hrims.limits.slots import Slots
from hrims.rejects import cases
from hrims.rejects import store as rejects
from hrims.rejects.store import Wanted
from hrims.steady import patiently
from hrims.sync import readings, store
from hrims.sync.page_fit.fit import page_size
from hrims.sync.repeats.resolve import resolve
from hrims.sync.spans import Coverage
from hrims.sync.store import FIRST, Ending
from hrims.sync.work import Reader, Work

EVER = 2**40
"""A position behind the end of any listing."""

log = logging.getLogger(__name__)


async def ask_again(work: Work) -> None:
    """Reads the pages around the open rejects, going on where the run stopped; raises as ``run.bring``."""
    attempt, remote, pool, settings, _ = work
    await breaker.pass_through(pool, remote)
    wanted = await patiently(lambda: _wanted(pool, attempt))
    try:
        async with Slots(pool, settings.max_in_flight, settings.silent_seconds) as slots:
            reader = Reader(*work, slots)
            elsewhere = outside(wanted, await page_size(reader))
            await readings.read(reader, FIRST, elsewhere, and_total=False)
            await resolve(attempt, pool, [FIRST])
    except RemoteError as trouble:
        raise await breaker.suspect(pool, remote, settings, trouble) from trouble
    outcome = await _finish(attempt, pool)
    log.info("run %s asked again and ended %s", attempt.run_id, outcome)


def outside(wanted: Iterable[Wanted], size: int) -> list[tuple[int, int]]:
    """The positions that need not be read: all but the pages of ``size`` on which somebody wanted is, and
    the single records that break every page.
    """
    pages = Coverage()
    for one in wanted:
        start = one.place if one.alone else one.place // size * size
        pages.add(start, start + (1 if one.alone else size))
    return list(pages.gaps(EVER))


async def _wanted(pool: AsyncPool, attempt: Attempt) -> list[Wanted]:
    async with pool.connection() as conn:
        return await rejects.wanted(conn, attempt.run_id)


async def _finish(attempt: Attempt, pool: AsyncPool) -> str:
    """Ends the run: complete when every reject was met again or came right, else so many were not found."""

    async def write() -> str:
        async with pool.connection() as conn:
            await store.check_fence(conn, attempt)
            await cases.settle(conn, attempt, "", (FIRST,))
            missing = await rejects.tell_what_became(conn, attempt.run_id)
            _, total = await store.saved_pages(conn, attempt, FIRST)
            counts = await store.count(conn, attempt, [FIRST], total or 0)
            outcome = "incomplete" if missing else "complete"
            ending = Ending(
                outcome, total or 0, counts.people, counts.rejected, 0, counts.repeats, missing, None
            )
            await store.end(conn, attempt, ending, (FIRST,))
            return outcome

    return await patiently(write)
