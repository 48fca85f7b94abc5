"""The Procrastinate task that delivers messages, and the worker of its own that serves its queue: a receiver
that takes its time holds up other messages at most, never a run.
"""

import asyncio
import copy
import logging
from datetime import UTC, datetime
from functools import partial
from typing import Any

from procrastinate import JobContext, RetryDecision
from procrastinate.jobs import Job

from hrims.config import Settings
from hrims.db import AsyncPool
from hrims.jobs import queue
from hrims.jobs.attempts.retry import AsTold, TryAgain
from hrims.steady import for_ever
from hrims.webhooks import delivery, store

QUEUE = "webhooks"
DELIVER_TASK = "webhooks.deliver"
"""Both are named in migration 0012 as well, which queues the jobs."""

BEHIND = -1
"""The priority of what is tried again; new messages have 0."""

AT_ONCE = 4
"""Messages that one worker delivers at the same time."""

LAST_MOMENT = 1.0
"""Seconds that a stopping worker gives deliveries; what it breaks off is delivered again by another."""

KEEP_DAYS = 30
"""Days after which messages that have ended are deleted."""

BATCH = 500
"""Messages deleted in one transaction."""

LOOK = 12
"""Beats of a worker between two looks for what to tidy up."""

log = logging.getLogger(__name__)


class BehindTheNew(AsTold):
    """Puts a job back behind those of new messages: a receiver that is down for a day, with thousands of
    messages to be tried again, keeps nobody else waiting for long.
    """

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> Any:
        if isinstance(exception, TryAgain):
            return RetryDecision(retry_at=exception.at, priority=BEHIND)
        return None


@queue.app.task(name=DELIVER_TASK, queue=QUEUE, retry=BehindTheNew(), pass_context=True)
async def deliver(context: JobContext, message_id: int) -> None:
    """Makes one try at delivering a message."""
    assert context.job.id is not None
    try:
        await delivery.carry_out(queue.pool_of(context.app), queue.app.settings, message_id, context.job.id)
    except asyncio.CancelledError:
        raise TryAgain(datetime.now(UTC)) from None


async def keep_delivering(pool: AsyncPool, settings: Settings) -> None:
    """Serves the queue for ever, beside the worker of runs; a database that is away is waited for."""
    beside = copy.copy(queue.app)
    beside.job_manager = queue.app.job_manager.for_another_worker()

    async def serve() -> None:
        worker = beside._worker(  # noqa: SLF001 - run_worker_async would start everything beside it again
            name=QUEUE,
            queues=[QUEUE],
            concurrency=AT_ONCE,
            # It asks now and then: listening would take one more connection a worker.
            listen_notify=False,
            install_signal_handlers=False,
            shutdown_graceful_timeout=LAST_MOMENT,
        )
        with queue.app.serving(worker):
            await worker.run()  # type: ignore[no-untyped-call] # untyped in Procrastinate

    await for_ever("deliver webhooks", settings.beat_seconds, serve)


async def keep_tidy(pool: AsyncPool, settings: Settings) -> None:
    """Gives messages that lost their job a new one, and deletes those that nobody needs, for ever."""
    await for_ever("tidy up webhooks", LOOK * settings.beat_seconds, lambda: tidy(pool))


async def tidy(pool: AsyncPool) -> None:
    """Once: messages without a job get one; old ones, and those of removed endpoints, go in small batches."""
    for some in (
        store.queue_orphans,
        partial(store.delete_removed, most=BATCH),
        partial(store.delete_old, days=KEEP_DAYS, most=BATCH),
    ):
        found = True
        while found:
            async with pool.connection() as conn:
                found = await some(conn) > 0


queue.BESIDE += [keep_delivering, keep_tidy]
