"""Procrastinate's job manager with the rules of this product.

A job is taken only if its run may start, and finished only by the worker to which it is assigned. Temporary
database errors do not stop a worker.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from logging import DEBUG, WARNING
from typing import Any

from procrastinate import jobs as queue_jobs
from procrastinate import manager
from procrastinate.exceptions import ConnectorException

from hrims import resilience
from hrims.jobs import store
from hrims.jobs.workers.pools import has_runs
from hrims.log import get_logger

LISTEN_PAUSE = 1.0
"""Seconds before a worker listens again after its connection broke. Meanwhile it polls."""

log = get_logger(__name__)


class FencedJobManager(manager.JobManager):
    """A job manager that takes a job only if its run may start, and fences finish and retry.

    Only the worker to which a job is assigned can finish or retry it. Procrastinate's manager has no rate
    limit of starts and no pause, and does not check the worker. A worker that was presumed dead and returns
    would finish the job of its successor.
    """

    def __init__(self, connector: Any, wake_in: Callable[[float], None] | None = None) -> None:
        """Create a manager. ``wake_in`` makes the worker poll again after so many seconds."""
        super().__init__(connector=connector)
        self._wake_in = wake_in
        self.fetching = 0

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> queue_jobs.Job | None:
        """Take a job. Return None if there is none or the database fails temporarily: the worker polls again.

        If the response to a COMMIT got lost, ``claims`` requeues the job.
        """
        self.fetching += 1
        try:
            return await self._fetch(None if queues is None else list(queues), worker_id)
        except ConnectorException as error:
            if not resilience.is_temporary(error):
                raise
            resilience.raise_if_cancelled()
            log.log(
                DEBUG if resilience.note_outage(error) else WARNING,
                "job_fetch_failed",
                error=resilience.name_of(error),
            )
            return None
        finally:
            self.fetching -= 1

    async def _fetch(self, queues: list[str] | None, worker_id: int) -> queue_jobs.Job | None:
        if queues is not None and not any(map(has_runs, queues)):
            return await super().fetch_job(queues, worker_id)
        # A worker that freezes before its COMMIT keeps the lock on starts. The rescuer ends its session.
        row = await self.connector.execute_query_one_async(
            store.FENCED["fetch"].decode(), queues=queues, worker_id=worker_id
        )
        if row["id"] is not None:
            return queue_jobs.Job.from_row(row)
        next_start = await self.connector.execute_query_one_async(
            store.FENCED["next_start"].decode(), queues=queues, worker_id=worker_id
        )
        if self._wake_in and next_start["seconds"] is not None:
            self._wake_in(next_start["seconds"])
        return None

    async def finish_job(self, job: queue_jobs.Job, status: queue_jobs.Status, delete_job: bool) -> None:
        await self._run_fenced(
            store.FENCED["finish"].decode(), job, status=status.value, delete_job=delete_job
        )

    async def retry_job(
        self,
        job: queue_jobs.Job,
        retry_at: datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        due_at = retry_at or datetime.now(UTC)
        await self._run_fenced(
            store.FENCED["retry"].decode(),
            job,
            retry_at=due_at,
            priority=priority,
            queue=queue,
            lock=lock,
        )

    def for_another_worker(self) -> "FencedJobManager":
        """Return a manager for another Procrastinate worker in this process."""
        return FencedJobManager(self.connector)

    async def put_back(self, job_id: int, worker_id: int) -> None:
        """Requeue a job, due immediately, if it is still assigned to this worker."""
        params = {"retry_at": datetime.now(UTC), "priority": None, "queue": None, "lock": None}
        await self.connector.execute_query_all_async(
            store.FENCED["retry"].decode(), job_id=job_id, worker_id=worker_id, **params
        )

    async def listen_for_jobs(self, **params: Any) -> None:
        """Listen until cancelled. Procrastinate's worker does not notice when its listener has ended."""
        listen = super().listen_for_jobs
        await resilience.run_periodically("job_listener", LISTEN_PAUSE, lambda: listen(**params))

    async def _run_fenced(self, statement: str, job: queue_jobs.Job, **params: Any) -> None:
        rows = await resilience.retry_on_disconnect(
            lambda: self.connector.execute_query_all_async(
                statement, job_id=job.id, worker_id=job.worker_id, **params
            )
        )
        if not rows:
            log.warning("job_reassigned", job=job.id)


class WorkerJobManager(FencedJobManager):
    """The job manager of a registered worker process.

    All Procrastinate workers in the process share its worker id and heartbeat (``workers.heartbeat``), so
    that liveness has one source.
    """

    def __init__(
        self, connector: Any, worker_id: int, wake_in: Callable[[float], None] | None = None
    ) -> None:
        super().__init__(connector, wake_in)
        self._worker_id = worker_id

    def for_another_worker(self) -> "WorkerJobManager":
        """Return a manager with the same worker id."""
        return WorkerJobManager(self.connector, self._worker_id)

    async def register_worker(self) -> int:
        """Return the worker id of the process, which is registered already."""
        return self._worker_id

    async def unregister_worker(self, worker_id: int) -> None:
        """Keep the process registered: other workers in it may still run."""

    async def update_heartbeat(self, worker_id: int) -> None:
        """Do nothing: the process writes the heartbeat."""

    async def prune_stalled_workers(self, seconds_since_heartbeat: float) -> list[int]:
        """Delete no worker: after an outage all look dead, and a deleted worker loses its jobs."""
        return []
