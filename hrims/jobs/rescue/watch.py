"""Takes runs from workers that died: stalled jobs, and runs whose job has ended without them, come in; runs
that go on from their checkpoint go out.

It runs beside the worker and is not a job, so that it needs no worker to be alive in the queue.
"""

import logging
from collections.abc import Awaitable, Callable
from functools import partial

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
    """Whether the silence of another worker proves its death: only to a worker whose own heartbeat was
    written all the while. After its start, an outage, a read-only spell, a pause of this process or of the
    machine, or a step of the database's clock, all others first get the time for a heartbeat.

    All times are the database's, by which others are judged: the clock of a process stops while its machine
    sleeps.
    """

    def __init__(self) -> None:
        self._last_beat: float | None = None
        self._clear_from = 0.0

    def note_beat(self, now: float, longest_gap: float, silent_seconds: float) -> None:
        """Note the time of the own heartbeat, in seconds."""
        if self._last_beat is None or abs(now - self._last_beat) > longest_gap:
            self._clear_from = now + silent_seconds
        self._last_beat = now

    def is_clear(self, now: float, longest_gap: float) -> bool:
        """Return whether the silence of others proves anything now."""
        if self._last_beat is None or abs(now - self._last_beat) > longest_gap:
            return False
        return now >= self._clear_from


SIGHT = Sight()
"""That of this process: it outlives the worker, which starts again when its database comes back."""


def longest_gap(settings: Settings) -> float:
    """Return the seconds between two written heartbeats above which others may have been kept from theirs."""
    return max(settings.silent_seconds / 2, settings.beat_seconds + settings.silent_seconds / 4)


def note_beat(settings: Settings, now: float) -> None:
    """Note the time of a heartbeat of this process."""
    SIGHT.note_beat(now, longest_gap(settings), settings.silent_seconds)


async def keep_watch(queue_run: QueueRun, pool: AsyncPool, settings: Settings) -> None:
    """Look for runs without a worker for ever, once every beat; wait for a database that is away.

    While no worker can write its heartbeat, silence proves nothing: it counts from the database's return.
    """

    async def look() -> None:
        await rescue_stalled(pool, settings.silent_seconds, partial(_is_clear, settings))
        await rescue_orphans(queue_run, pool)
        await give_up_overdue(pool)

    await for_ever("look for stalled runs", settings.beat_seconds, look)


def _is_clear(settings: Settings, now: float) -> bool:
    return SIGHT.is_clear(now, longest_gap(settings))


async def rescue_stalled(
    pool: AsyncPool, silent_seconds: float, is_clear: Callable[[float], bool] = lambda _now: True
) -> int:
    """Rescue every stalled job, each in its own transaction, while ``is_clear``; return how many.

    ``is_clear`` gets the time at which the transaction judges, by the database's clock.
    """
    async with pool.connection() as conn:
        # First, and whether or not a job is stalled: what a frozen worker holds may be in everybody's way.
        await store.end_silent_sessions(conn, silent_seconds)
        found = await store.stalled(conn)
    rescued = 0
    for job_id in found:
        async with pool.connection() as conn:
            if not is_clear(await store.now(conn)):
                break
            became = await store.rescue(conn, job_id, MOST_RESCUES, WORDS)
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
