"""The background task that requeues runs whose worker died.

Input: jobs without a live worker, runs without a live job, runs past their deadline. Output: runs that
continue from their checkpoint, or that failed. It runs beside the worker, not as a job, so that it does not
depend on the queue that it repairs.
"""

from collections.abc import Awaitable, Callable
from functools import partial

from hrims import metrics
from hrims.config import Settings
from hrims.db import AsyncConnection, AsyncPool
from hrims.jobs.rescuer import store
from hrims.log import get_logger
from hrims.resilience import run_periodically

MAX_RESCUES = 3
"""Maximum number of rescues of a run. It fails if its worker dies after the last one."""

TOO_MANY_RESCUES = (
    f"Its worker died {MAX_RESCUES + 1} times. What was saved stays. Try it again; "
    "if that happens again, tell the operator of HRIMS Sync."
)

QueueRun = Callable[[AsyncConnection, int], Awaitable[None]]
"""A function that enqueues a job for a run inside the caller's transaction."""

log = get_logger(__name__)


class LivenessGrace:
    """The grace period during which this process presumes no worker dead.

    A missing heartbeat proves a death only to a process whose own heartbeat was written throughout. A gap in
    it may have many causes: an outage, a read-only database, a pause of the process or machine, or a step of
    the database's clock. After a gap, and after the start, all other workers get time for a heartbeat.

    All times are the database's, by which workers are judged. The clock of a process stops while its machine
    sleeps.
    """

    def __init__(self) -> None:
        self._last_heartbeat: float | None = None
        self._can_judge_from = 0.0

    def record_heartbeat(self, now: float, max_gap: float, silent_seconds: float) -> None:
        """Record the time of this process's heartbeat, in seconds. Start the grace period after a gap."""
        if self._last_heartbeat is None or abs(now - self._last_heartbeat) > max_gap:
            self._can_judge_from = now + silent_seconds
        self._last_heartbeat = now

    def can_judge(self, now: float, max_gap: float) -> bool:
        """Return whether a missing heartbeat proves that a worker is dead."""
        if self._last_heartbeat is None or abs(now - self._last_heartbeat) > max_gap:
            return False
        return now >= self._can_judge_from


LIVENESS = LivenessGrace()
"""One per process. It outlives the worker, which restarts when its database returns."""


def max_heartbeat_gap(settings: Settings) -> float:
    """Return the gap between own heartbeats, in seconds, above which others may have been blocked as well."""
    return max(settings.silent_seconds / 2, settings.beat_seconds + settings.silent_seconds / 4)


def record_heartbeat(settings: Settings, now: float) -> None:
    """Record the time of a heartbeat of this process."""
    LIVENESS.record_heartbeat(now, max_heartbeat_gap(settings), settings.silent_seconds)


async def run_rescuer(queue_run: QueueRun, pool: AsyncPool, settings: Settings) -> None:
    """Rescue runs until cancelled, once per heartbeat interval. Survives an unavailable database.

    While no worker can write its heartbeat, a missing one proves nothing: it counts from the database's
    return.
    """

    async def rescue_all() -> None:
        await rescue_stalled(pool, settings.silent_seconds, partial(_can_judge, settings))
        await rescue_orphans(queue_run, pool)
        await fail_overdue(pool)

    await run_periodically("rescuer", settings.beat_seconds, rescue_all)


def _can_judge(settings: Settings, now: float) -> bool:
    return LIVENESS.can_judge(now, max_heartbeat_gap(settings))


async def rescue_stalled(
    pool: AsyncPool, silent_seconds: float, can_judge: Callable[[float], bool] = lambda _now: True
) -> int:
    """Rescue every stalled job, one transaction each, while ``can_judge`` returns True. Return how many.

    ``can_judge`` gets the time at which the transaction decides, by the clock of the database.
    """
    async with pool.connection() as conn:
        # First, and even if no job is stalled: a frozen worker may hold locks that live workers need.
        await store.end_silent_sessions(conn, silent_seconds)
        ids = await store.find_stalled(conn)
    rescued = 0
    for job_id in ids:
        async with pool.connection() as conn:
            if not can_judge(await store.now(conn)):
                break
            result = await store.rescue(conn, job_id, MAX_RESCUES, TOO_MANY_RESCUES)
        if result:
            rescued += 1
            metrics.RESCUES.labels(result).inc()
            log.warning("job_rescued", job=job_id, result=result)
    return rescued


async def rescue_orphans(queue_run: QueueRun, pool: AsyncPool) -> int:
    """Enqueue a new job for every unfinished run whose job has ended, one transaction each. Return
    how many.
    """
    async with pool.connection() as conn:
        ids = await store.find_orphans(conn)
    rescued = 0
    for run_id in ids:
        async with pool.connection() as conn:
            result = await store.reset_orphan(conn, run_id, MAX_RESCUES, TOO_MANY_RESCUES)
            if result == "waiting":
                await queue_run(conn, run_id)
        if result:
            rescued += 1
            metrics.RESCUES.labels(result).inc()
            log.warning("run_rescued", run=run_id, result=result)
    return rescued


async def fail_overdue(pool: AsyncPool) -> int:
    """Fail every waiting run whose deadline has passed, one transaction each. Return how many.

    A running attempt checks its own deadline.
    """
    async with pool.connection() as conn:
        ids = await store.find_overdue(conn)
    for run_id in ids:
        async with pool.connection() as conn:
            if await store.fail_overdue(conn, run_id):
                log.warning("run_overdue", run=run_id)
    return len(ids)
