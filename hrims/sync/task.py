"""The Procrastinate task: a queued run's number comes in, an attempt at it is made."""

from procrastinate import JobContext

from hrims.jobs import queue
from hrims.jobs.attempts import attempt
from hrims.jobs.attempts.patience import Deadline
from hrims.jobs.attempts.retry import AsTold
from hrims.jobs.attempts.store import Attempt
from hrims.jobs.workers.pools import QUEUE
from hrims.previews import sweep
from hrims.remote.address import address_of
from hrims.remote.client import Remote
from hrims.sync import apply, person, rejected, run
from hrims.sync.work import Work

KINDS = {
    "sync": run.bring,
    "preview": run.bring,
    "apply": apply.apply,
    "rejected": rejected.ask_again,
    "person": person.bring,
}
"""How each kind of run is brought about; all have the shape of ``run.bring``."""


queue.BESIDE.append(sweep.keep_empty)


@queue.app.task(name=queue.RUN_TASK, queue=QUEUE, retry=AsTold(), pass_context=True)
async def sync_run(context: JobContext, run_id: int) -> None:
    """Makes one attempt at a run."""
    settings, pool = queue.app.settings, queue.pool_of(context.app)

    async def carry_out(begun: Attempt, deadline: Deadline) -> None:
        def is_stopping() -> bool:
            deadline.check()
            return queue.app.is_stopping

        async with Remote(settings, base_url=address_of(settings)) as remote:
            await KINDS[begun.kind](Work(begun, remote, pool, settings, is_stopping))

    assert context.job.id is not None
    await attempt.carry_out(pool, settings, run_id, context.job.id, carry_out)
