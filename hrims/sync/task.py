"""The Procrastinate task. Input: the number of a queued run. Output: an attempt at the run."""

from procrastinate import JobContext

from hrims.jobs import queue
from hrims.jobs.attempts import attempt
from hrims.jobs.attempts.retry_policy import Deadline
from hrims.jobs.attempts.store import Attempt
from hrims.remote.base_url import base_url_of
from hrims.remote.client import Remote
from hrims.sync import apply, person, rejected, run, story
from hrims.sync.context import SyncContext

KINDS = {
    "sync": run.sync_listing,
    "preview": run.sync_listing,
    "apply": apply.apply,
    "rejected": rejected.sync_rejected,
    "person": person.sync_person,
}
"""The function of each kind of run."""


async def sync_run(job_context: JobContext, run_id: int, request_id: str | None = None) -> None:
    """Make one attempt at a run. The request id is for people who read the job; the run has it too."""
    settings, pool = queue.app.settings, queue.get_pool(job_context.app)

    async def make_attempt(started: Attempt, deadline: Deadline) -> None:
        def is_stopping() -> bool:
            deadline.check()
            return queue.app.is_stopping

        await story.log_start(started, pool)
        async with Remote(settings, base_url=base_url_of(settings)) as remote:
            await KINDS[started.kind](SyncContext(started, remote, pool, settings, is_stopping))

    assert job_context.job.id is not None
    await attempt.run_attempt(pool, settings, run_id, job_context.job.id, make_attempt)
