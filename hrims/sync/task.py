"""The Procrastinate task. Input: the number of a queued run. Output: an attempt at the run."""

from typing import Any, Final

from procrastinate import JobContext

from hrims.db import AsyncPool
from hrims.errors import RemoteError
from hrims.jobs import queue
from hrims.jobs.attempts import attempt
from hrims.jobs.attempts.retry_policy import Deadline
from hrims.jobs.attempts.store import Attempt
from hrims.jobs.workers import store as workers
from hrims.remote.connection.model import RemoteConnection
from hrims.remote.following import FollowingRemote, raise_if_moved
from hrims.resilience import retry_on_disconnect
from hrims.sync import apply, person, rejected, run, story
from hrims.sync.context import SyncContext

KINDS = {
    "sync": run.sync_listing,
    "preview": run.sync_listing,
    "rejected": rejected.sync_rejected,
    "person": person.sync_person,
}
"""The function of each kind of run that asks HRIMS."""

NO_REMOTE: Final[Any] = None
"""An apply sends no request, so it needs no connection."""


async def sync_run(job_context: JobContext, run_id: int, request_id: str | None = None) -> None:
    """Make one attempt at a run. The request id is for people who read the job; the run has it too."""
    settings, pool = queue.app.settings, queue.get_pool(job_context.app)

    async def make_attempt(started: Attempt, deadline: Deadline) -> None:
        def is_stopping() -> bool:
            deadline.check()
            return queue.app.is_stopping

        await story.log_start(started, pool)
        if started.kind == "apply":
            await apply.apply(SyncContext(started, NO_REMOTE, pool, settings, is_stopping))
            return
        connection = await _read_connection(job_context, pool)
        async with FollowingRemote(queue.app.connection, connection) as remote:
            context = SyncContext(started, remote, pool, connection.settings, is_stopping)
            try:
                await KINDS[started.kind](context)
            except RemoteError as error:
                await raise_if_moved(remote, error)
                raise

    assert job_context.job.id is not None
    await attempt.run_attempt(pool, settings, run_id, job_context.job.id, make_attempt)


async def _read_connection(job_context: JobContext, pool: AsyncPool) -> RemoteConnection:
    """Return the connection now. If it is unusable, the worker takes no further run that needs it."""
    connection = await retry_on_disconnect(queue.app.connection.refresh)
    worker_id, problem = job_context.job.worker_id, connection.problem

    async def withdraw() -> None:
        async with pool.connection() as conn:
            assert worker_id is not None
            assert problem is not None
            await workers.withdraw_address(conn, worker_id, problem)

    if problem and worker_id is not None:
        await retry_on_disconnect(withdraw)
    return connection
