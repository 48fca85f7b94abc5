"""Procrastinate's job manager with the rules of this product: a job is taken only when its run may start, and
ended only by the worker that holds it; no database error stops a worker.
"""

import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from procrastinate import jobs as queue_jobs
from procrastinate import manager
from procrastinate.exceptions import ConnectorException

from hrims import steady
from hrims.jobs import store
from hrims.jobs.workers.pools import has_runs

LISTEN_AGAIN = 1.0
"""Seconds before a worker listens again after its connection broke; meanwhile it polls."""

log = logging.getLogger(__name__)


class FencedJobManager(manager.JobManager):
    """Takes a run's job only when the run may start, and finishes or retries one only for the worker that
    holds it.

    Procrastinate's own knows no limit on starts and no pause, and asks neither for the worker nor for the
    attempt: one that was thought dead and comes back would end the job of its successor.
    """

    def __init__(self, connector: Any, wake_in: Callable[[float], None] | None = None) -> None:
        """``wake_in`` has the worker look for a job again in so many seconds."""
        super().__init__(connector=connector)
        self._wake_in = wake_in
        self.fetching = 0

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> queue_jobs.Job | None:
        """Take a job; None if there is none, or the database cannot say: the worker polls again.

        If the answer to a commit got lost, ``claims`` puts the job back.
        """
        self.fetching += 1
        try:
            return await self._fetch(None if queues is None else list(queues), worker_id)
        except ConnectorException as error:
            if not steady.is_temporary(error):
                raise
            steady.heed_cancellation()
            log.warning("cannot look for a job just now: %s", steady.name_of(error))
            return None
        finally:
            self.fetching -= 1

    async def _fetch(self, names: list[str] | None, worker_id: int) -> queue_jobs.Job | None:
        if names is not None and not any(map(has_runs, names)):
            return await super().fetch_job(names, worker_id)
        # A worker that froze before its COMMIT would keep the lock on starts: the watch ends its session.
        row = await self.connector.execute_query_one_async(
            store.HELD["take"].decode(), queues=names, worker_id=worker_id
        )
        if row["id"] is not None:
            return queue_jobs.Job.from_row(row)
        waits = await self.connector.execute_query_one_async(
            store.HELD["next_start"].decode(), queues=names, worker_id=worker_id
        )
        if self._wake_in and waits["seconds"] is not None:
            self._wake_in(waits["seconds"])
        return None

    async def finish_job(self, job: queue_jobs.Job, status: queue_jobs.Status, delete_job: bool) -> None:
        await self._if_held(store.HELD["finish"].decode(), job, status=status.value, delete_job=delete_job)

    async def retry_job(
        self,
        job: queue_jobs.Job,
        retry_at: datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        at = retry_at or datetime.now(UTC)
        await self._if_held(
            store.HELD["retry"].decode(), job, retry_at=at, priority=priority, queue=queue, lock=lock
        )

    def for_another_worker(self) -> "FencedJobManager":
        """Return a manager for another worker of Procrastinate inside this process."""
        return FencedJobManager(self.connector)

    async def put_back(self, job_id: int, worker_id: int) -> None:
        """Return a job to the queue, due at once, if this worker still holds it."""
        given = {"retry_at": datetime.now(UTC), "priority": None, "queue": None, "lock": None}
        await self.connector.execute_query_all_async(
            store.HELD["retry"].decode(), job_id=job_id, worker_id=worker_id, **given
        )

    async def listen_for_jobs(self, **given: Any) -> None:
        """Listen until cancelled. Procrastinate's worker does not notice when its listener has ended."""
        listen = super().listen_for_jobs
        await steady.for_ever("listen for jobs", LISTEN_AGAIN, lambda: listen(**given))

    async def _if_held(self, statement: str, job: queue_jobs.Job, **given: Any) -> None:
        rows = await steady.patiently(
            lambda: self.connector.execute_query_all_async(
                statement, job_id=job.id, worker_id=job.worker_id, **given
            )
        )
        if not rows:
            log.warning("job %s was taken over; this worker leaves it alone", job.id)


class WorkerJobManager(FencedJobManager):
    """The manager of a registered worker process. All workers of Procrastinate inside it share its number and
    its heartbeat (``workers.beat``), so that who lives is known from one place.
    """

    def __init__(
        self, connector: Any, worker_id: int, wake_in: Callable[[float], None] | None = None
    ) -> None:
        super().__init__(connector, wake_in)
        self._worker_id = worker_id

    def for_another_worker(self) -> "WorkerJobManager":
        """Return a manager with the same number."""
        return WorkerJobManager(self.connector, self._worker_id)

    async def register_worker(self) -> int:
        """Return the number of the process, which is registered already."""
        return self._worker_id

    async def unregister_worker(self, worker_id: int) -> None:
        """Leave the process registered: others in it may still work."""

    async def update_heartbeat(self, worker_id: int) -> None:
        """Leave the heartbeat to the process."""

    async def prune_stalled_workers(self, seconds_since_heartbeat: float) -> list[int]:
        """Delete no worker: after an outage all have been silent, and a deleted one loses its jobs."""
        return []
