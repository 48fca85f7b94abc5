"""The composition root of the worker: its tasks and its background tasks.

Procrastinate imports this module by name before a worker starts (``import_paths`` in ``hrims.jobs.queue``).
Web processes enqueue tasks by name and never import it.
"""

from functools import partial
from typing import Final

from hrims.approvals import cleaner as approval_cleaner
from hrims.audit import heads, sequencer
from hrims.jobs import queue
from hrims.jobs.attempts.retry import RetryWhenRequested
from hrims.jobs.cleaner import task as cleaner
from hrims.jobs.queue import BackgroundTask, app
from hrims.jobs.rescuer import task as rescuer
from hrims.jobs.workers.pools import QUEUE
from hrims.limits import breaker
from hrims.log import lower_expected_failures
from hrims.monitoring import task as monitoring
from hrims.previews import cleaner as preview_cleaner
from hrims.schedules import scheduler
from hrims.sync.task import sync_run
from hrims.webhooks import task as webhooks
from hrims.webhooks.audit_heads import run_head_messages

DELETIONS: Final[tuple[cleaner.Deletion, ...]] = (
    cleaner.delete_expired_workers,
    cleaner.delete_expired_searches,
    cleaner.delete_old_request_counts,
    cleaner.delete_expired_jobs,
    cleaner.delete_expired_reject_people,
    cleaner.delete_expired_run_details,
    preview_cleaner.delete_expired_previews,
    approval_cleaner.delete_expired_requests,
    webhooks.delete_expired_messages,
    monitoring.merge_run_ends,
)
"""What the cleaner deletes, in this order. docs/reference/retention.md also lists what is deleted where it is
used: counted starts, sessions and failed sign-ins.
"""

BACKGROUND_TASKS: Final[tuple[BackgroundTask, ...]] = (
    monitoring.run_metrics,
    partial(rescuer.run_rescuer, queue.queue_run),
    partial(cleaner.run_cleaner, DELETIONS),
    breaker.run_breaker_probe,
    webhooks.run_delivery,
    webhooks.run_message_rescuer,
    run_head_messages,
    scheduler.run_scheduler,
    sequencer.run_sequencer,
    heads.run_heads,
)
"""The tasks that every worker process runs beside its jobs until it stops. If one ends, the process ends."""

lower_expected_failures()
app.background_tasks = BACKGROUND_TASKS
app.task(name=queue.RUN_TASK, queue=QUEUE, retry=RetryWhenRequested(), pass_context=True)(sync_run)
app.task(
    name=webhooks.DELIVER_TASK, queue=webhooks.QUEUE, retry=webhooks.LowPriorityRetry(), pass_context=True
)(webhooks.deliver)
