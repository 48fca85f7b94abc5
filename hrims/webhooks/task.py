"""The Procrastinate task that delivers messages, and a separate worker for its queue.

With its own worker, a slow receiver delays other messages at worst, never a run.
"""

import asyncio
import copy
from datetime import UTC, datetime
from functools import partial
from typing import Any

from procrastinate import JobContext, RetryDecision
from procrastinate.jobs import Job

from hrims.config import Settings
from hrims.db import AsyncPool
from hrims.jobs import queue
from hrims.jobs.attempts.retry import RetryLater, RetryWhenRequested
from hrims.jobs.cleaner.task import delete_in_batches
from hrims.log import get_logger
from hrims.resilience import run_periodically
from hrims.webhooks.delivery import attempt, store

QUEUE = "webhooks"
DELIVER_TASK = "webhooks.deliver"
"""migrations/0012_webhooks.sql, which enqueues the jobs, uses both names as well."""

RETRY_PRIORITY = -1
"""The priority of retries; new messages have 0."""

CONCURRENCY = 4
"""Messages that one worker delivers at the same time."""

SHUTDOWN_SECONDS = 1.0
"""Seconds that a stopping worker waits for deliveries. Another worker repeats the interrupted ones."""

KEEP_DAYS = 30
"""Days after which messages that have ended are deleted."""

BATCH_SIZE = 500
"""Messages deleted in one transaction."""

RESCUER_HEARTBEATS = 12
"""Heartbeats between two searches for orphaned messages."""

log = get_logger(__name__)


class LowPriorityRetry(RetryWhenRequested):
    """The retry strategy that puts retries behind new messages.

    A receiver that is down for a day, with thousands of retries, does not delay the messages of others for
    long.
    """

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> Any:
        if isinstance(exception, RetryLater):
            return RetryDecision(retry_at=exception.at, priority=RETRY_PRIORITY)
        return None


async def deliver(context: JobContext, message_id: int) -> None:
    """Make one attempt to deliver a message."""
    assert context.job.id is not None
    try:
        await attempt.deliver_message(
            queue.get_pool(context.app), queue.app.settings, message_id, context.job.id
        )
    except asyncio.CancelledError:
        raise RetryLater(datetime.now(UTC)) from None


async def run_delivery(pool: AsyncPool, settings: Settings) -> None:
    """Serve the queue until it is cancelled, beside the worker of runs.

    It survives an unavailable database.
    """
    delivery_app = copy.copy(queue.app)
    delivery_app.job_manager = queue.app.job_manager.for_another_worker()

    async def serve() -> None:
        worker = delivery_app.new_worker(
            name=QUEUE,
            queues=[QUEUE],
            concurrency=CONCURRENCY,
            # Poll instead: LISTEN would take one more connection per worker.
            listen_notify=False,
            install_signal_handlers=False,
            shutdown_graceful_timeout=SHUTDOWN_SECONDS,
        )
        with queue.app.serving(worker):
            await worker.run()  # type: ignore[no-untyped-call] # untyped in Procrastinate

    await run_periodically("webhook_delivery", settings.beat_seconds, serve)


async def run_message_rescuer(pool: AsyncPool, settings: Settings) -> None:
    """Requeue orphaned messages repeatedly until cancelled."""
    seconds = RESCUER_HEARTBEATS * settings.beat_seconds
    await run_periodically("message_rescuer", seconds, lambda: rescue_orphans(pool))


async def rescue_orphans(pool: AsyncPool) -> None:
    """Enqueue a new job for every message that has lost its job."""
    found = 1
    while found:
        async with pool.connection() as conn:
            found = await store.enqueue_orphans(conn)


async def delete_expired_messages(pool: AsyncPool, _settings: Settings) -> None:
    """Delete old messages, and those of removed endpoints."""
    await delete_in_batches(pool, "removed_endpoints", partial(store.delete_removed, limit=BATCH_SIZE))
    delete_batch = partial(store.delete_expired, days=KEEP_DAYS, limit=BATCH_SIZE)
    await delete_in_batches(pool, "messages", delete_batch)
