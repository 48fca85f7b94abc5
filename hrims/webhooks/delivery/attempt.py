"""One delivery attempt.

Input: the ids of the message and its job. Output: a recorded attempt; a retry if needed.
"""

import time
from datetime import UTC, datetime
from random import Random

from hrims import metrics, tracing
from hrims.config import Settings
from hrims.db import AsyncPool
from hrims.jobs.attempts.retry import RetryLater
from hrims.log import get_logger
from hrims.resilience import retry_on_disconnect
from hrims.vault import Vault
from hrims.vault.columns import WEBHOOK
from hrims.vault.errors import SecretUnreadable
from hrims.webhooks.delivery import addresses, backoff, post, signing, store
from hrims.webhooks.delivery.post import DeliveryAttempt
from hrims.webhooks.delivery.store import Due

OFF = "The endpoint is switched off; this was not sent."

GONE = "The receiver answered 410: it is gone for good."

log = get_logger(__name__)


async def deliver_message(pool: AsyncPool, settings: Settings, message_id: int, job_id: int) -> None:
    """Attempt once to deliver a message that still belongs to this job. Raises RetryLater if a retry follows.

    A message is delivered twice if the worker dies before it records the delivery. Receivers recognise the
    duplicate by the message's id.
    """
    due = await retry_on_disconnect(lambda: _find_due(pool, message_id, job_id))
    if due is None:
        log.info("message_not_due", message_id=message_id, job=job_id)
        return
    if not due.active or due.secret is None:
        await retry_on_disconnect(lambda: _fail_switched_off(pool, due, job_id))
        return
    at = datetime.now(UTC)
    with tracing.span("deliver webhook", "CLIENT", message=message_id):
        result = await _send(due, due.secret, settings)
    metrics.WEBHOOK_DELIVERIES.labels("delivered" if result.error is None else "failed").inc()
    if result.error is None:
        log.info("message_delivered", message_id=message_id, ms=result.milliseconds)
    else:
        log.info("message_failed", message_id=message_id, status=result.status, message=result.error)
    next_at = _next_attempt_at(due, result)
    if (
        await retry_on_disconnect(lambda: _finish_delivery(pool, due, job_id, at, result, next_at))
        and next_at
    ):
        raise RetryLater(next_at)


async def _send(due: Due, token: bytes, settings: Settings) -> DeliveryAttempt:
    try:
        secret = Vault(settings).decrypt(WEBHOOK, token)
    except SecretUnreadable as error:
        # A retry may meet a worker that has the key.
        return DeliveryAttempt(None, str(error), 0)
    headers = signing.headers(due.key, int(time.time()), due.body, secret)
    return await post.post(due.url, due.body, headers, addresses.ip_rule(settings.webhook_private))


def _next_attempt_at(due: Due, result: DeliveryAttempt) -> datetime | None:
    if result.delivered or result.status == post.GONE:
        return None
    rng = Random()  # noqa: S311 - jitter
    return backoff.next_attempt_at(due.failures + 1, datetime.now(UTC), rng)


async def _find_due(pool: AsyncPool, message_id: int, job_id: int) -> Due | None:
    async with pool.connection() as conn:
        return await store.find_due(conn, message_id, job_id)


async def _fail_switched_off(pool: AsyncPool, due: Due, job_id: int) -> bool:
    async with pool.connection() as conn:
        return await store.finish_delivery(conn, due.id, job_id, OFF, None)


async def _finish_delivery(
    pool: AsyncPool, due: Due, job_id: int, at: datetime, result: DeliveryAttempt, next_at: datetime | None
) -> bool:
    async with pool.connection() as conn:
        await store.record_attempt(conn, due.id, at, result.status, result.error, result.milliseconds)
        if result.status == post.GONE:
            await store.switch_off(conn, due.endpoint_id, GONE)
        return await store.finish_delivery(conn, due.id, job_id, result.error, next_at)
