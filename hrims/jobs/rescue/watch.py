"""Takes runs from workers that died: stalled jobs, and runs whose job has ended without them, come in; runs
that go on from their checkpoint go out.

It runs beside the worker and is not a job, so that it needs no worker to be alive in the queue.
"""

import logging
import time
from collections.abc import Awaitable, Callable

from hrims.config import Settings
from hrims.db import AsyncConnection, AsyncPool
from hrims.jobs.rescue import store
from hrims.steady import for_ever

MOST_RESCUES = 3
"""Rescues of a run; the death after the last one ends it."""

WORDS = (
    f"Its worker died {MOST_RESCUES + 1} times. What was saved stays. Try it again; "
    "if that happens again, tell the operator of HRIMS Sync."
)

QueueRun = Callable[[AsyncConnection, int], Awaitable[None]]
"""Queues a job for a run, inside the caller's transaction."""

log = logging.getLogger(__name__)


class Sight:
    """Whether silence proves anything. It does not after the database was away, or this process stood still:
    first everybody has the time to give a sign of life.
    """

    def __init__(self) -> None:
        self._looked: float | None = None
        self._clear_from = 0.0

    def begin(self, now: float) -> None:
        """Whoever begins has looked just now, until their first look succeeds much later."""
        if self._looked is None:
            self._looked = now

    def is_clear(self, now: float, silent_seconds: float) -> bool:
        """Call it after each look that succeeded, with a clock that only goes forward, in seconds."""
        # Half of it: when the last look was, others may not have spoken for a while already.
        if self._looked is not None and now - self._looked > silent_seconds / 2:
            self._clear_from = now + silent_seconds
        self._looked = now
        return now >= self._clear_from


SIGHT = Sight()
"""That of this process: it outlives the worker, which begins anew when its database comes back."""


async def keep_watch(queue_run: QueueRun, pool: AsyncPool, settings: Settings) -> None:
    """Looks for runs without a worker for ever, once every beat; a database that is away is waited for.

    Meanwhile nobody could give a sign of life, this worker neither: silence counts from its return.
    """
    SIGHT.begin(time.monotonic())

    async def look() -> None:
        await rescue_stalled(pool, settings.silent_seconds, SIGHT)
        await rescue_orphans(queue_run, pool)
        await give_up_overdue(pool)

    await for_ever("look for stalled runs", settings.beat_seconds, look)


async def rescue_stalled(pool: AsyncPool, silent_seconds: float, sight: Sight | None = None) -> int:
    """Rescues every stalled job, each in its own transaction, once ``sight`` is clear; returns how many."""
    async with pool.connection() as conn:
        # First, and whether or not a job is stalled: what a frozen worker holds may be in everybody's way.
        await store.end_silent_sessions(conn, silent_seconds)
        found = await store.stalled(conn, silent_seconds)
    if sight and not sight.is_clear(time.monotonic(), silent_seconds):
        return 0
    rescued = 0
    for job_id in found:
        async with pool.connection() as conn:
            became = await store.rescue(conn, job_id, silent_seconds, MOST_RESCUES, WORDS)
        if became:
            rescued += 1
            log.warning("job %s had lost its worker; it is %s", job_id, became)
    return rescued


async def rescue_orphans(queue_run: QueueRun, pool: AsyncPool) -> int:
    """Gives every run whose job has ended a new one, each in its own transaction; returns how many."""
    async with pool.connection() as conn:
        found = await store.orphans(conn)
    rescued = 0
    for run_id in found:
        async with pool.connection() as conn:
            became = await store.take_orphan(conn, run_id, MOST_RESCUES, WORDS)
            if became == "waiting":
                await queue_run(conn, run_id)
        if became:
            rescued += 1
            log.warning("run %s had lost its job; it is %s", run_id, became)
    return rescued


async def give_up_overdue(pool: AsyncPool) -> int:
    """Fails every run that waits and whose deadline is past, each in its own transaction; returns how many.
    An attempt that is under way ends by itself.
    """
    async with pool.connection() as conn:
        found = await store.overdue(conn)
    for run_id in found:
        async with pool.connection() as conn:
            if await store.give_up_overdue(conn, run_id):
                log.warning("run %s was not done by its deadline", run_id)
    return len(found)
