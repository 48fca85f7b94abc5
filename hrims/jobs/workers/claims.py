"""Jobs that are assigned to this process though it does not run them: the answer to a commit got lost, or the
end of a job could not be written. They go back to the queue; no attempt and no rescue is spent.
"""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from procrastinate.worker import Worker

from hrims.config import Settings
from hrims.db import AsyncPool
from hrims.jobs.workers import store
from hrims.steady import for_ever

log = logging.getLogger(__name__)


class Process(NamedTuple):
    """What this process runs: its number, its workers of Procrastinate, and whether one takes a job now."""

    worker_id: int
    workers: Sequence[Worker]
    is_fetching: Callable[[], bool]

    def running(self) -> set[int]:
        """Return the queue jobs that this process runs."""
        contexts = [context for worker in self.workers for context in worker._running_jobs.values()]  # noqa: SLF001 - it has no public name for them
        return {context.job.id for context in contexts if context.job.id is not None}


PutBack = Callable[[int], Awaitable[None]]
"""Returns a job to the queue, if this process still holds it."""


async def keep_claims(pool: AsyncPool, settings: Settings, process: Process, put_back: PutBack) -> None:
    """Put back lost jobs for ever, once every beat: those that two looks in a row have found lost."""
    lost: set[int] = set()

    async def look() -> None:
        nonlocal lost
        before, lost = lost, await _lost(pool, process)
        for job_id in lost & before:
            log.warning("job %s is assigned to this worker, which does not run it; it goes back", job_id)
            await put_back(job_id)

    await for_ever("look for lost jobs", settings.beat_seconds, look)


async def _lost(pool: AsyncPool, process: Process) -> set[int]:
    if process.is_fetching():
        return set()
    async with pool.connection() as conn:
        assigned = await store.jobs_of(conn, process.worker_id)
    return assigned - process.running()
