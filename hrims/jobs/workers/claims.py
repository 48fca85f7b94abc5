"""The claim check: requeues jobs that are assigned to this process but do not run in it.

The response to a COMMIT got lost, or the end of a job could not be saved. Requeueing them counts neither as
an attempt nor as a rescue.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

from hrims.config import Settings
from hrims.db import AsyncPool
from hrims.jobs.workers import store
from hrims.jobs.workers.queue_worker import QueueWorker
from hrims.log import get_logger
from hrims.resilience import run_periodically

log = get_logger(__name__)


class Process(NamedTuple):
    """This worker process: its worker id, its Procrastinate workers, and whether one is fetching a job."""

    worker_id: int
    workers: Sequence[QueueWorker]
    is_fetching: Callable[[], bool]

    def running(self) -> set[int]:
        """Return the queue jobs that run in this process."""
        return {job_id for worker in self.workers for job_id in worker.running_job_ids()}


PutBack = Callable[[int], Awaitable[None]]
"""A function that requeues a job if it is still assigned to this process."""


async def run_claim_check(pool: AsyncPool, settings: Settings, process: Process, put_back: PutBack) -> None:
    """Requeue lost jobs until cancelled, once per heartbeat interval.

    A job is requeued only if two checks in a row find it lost.
    """
    lost: set[int] = set()

    async def check() -> None:
        nonlocal lost
        previous, lost = lost, await _find_lost(pool, process)
        for job_id in lost & previous:
            log.warning("job_put_back", job=job_id)
            await put_back(job_id)

    await run_periodically("claim_check", settings.beat_seconds, check)


async def _find_lost(pool: AsyncPool, process: Process) -> set[int]:
    if process.is_fetching():
        return set()
    async with pool.connection() as conn:
        assigned = await store.find_jobs(conn, process.worker_id)
    return assigned - process.running()
