"""A Procrastinate worker that shows whether it is stopping and which jobs it runs."""

from procrastinate.worker import Worker


class QueueWorker(Worker):
    """A worker with public access to state that Procrastinate keeps private."""

    @property
    def is_stopping(self) -> bool:
        """Whether the worker is stopping."""
        return self._stop_event.is_set()

    def running_job_ids(self) -> set[int]:
        """Return the queue jobs that the worker runs."""
        return {context.job.id for context in self._running_jobs.values() if context.job.id is not None}

    def poll(self) -> None:
        """Poll for a job now."""
        self._new_job_event.set()
