"""One try at delivering a message: its number and its job's come in; the try is kept, and the queue told."""

import logging
import time
from datetime import UTC, datetime
from random import Random

from hrims.config import Settings
from hrims.db import AsyncPool
from hrims.jobs.attempts.retry import TryAgain
from hrims.steady import patiently
from hrims.webhooks import addresses, pauses, post, signing, store
from hrims.webhooks.post import Tried
from hrims.webhooks.store import Due

OFF = "The endpoint is switched off; this was not sent."

GONE = "The receiver answered 410: it is gone for good."

log = logging.getLogger(__name__)


async def carry_out(pool: AsyncPool, settings: Settings, message_id: int, job_id: int) -> None:
    """Tries once to deliver a message that still waits for this job. Raises TryAgain when another try is to
    follow. It may be delivered twice, when the worker dies before it has written down that it was; the
    message's id tells.
    """
    due = await patiently(lambda: _due(pool, message_id, job_id))
    if due is None:
        log.info("message %s needs nothing from job %s", message_id, job_id)
        return
    if not due.active or due.secret is None:
        await patiently(lambda: _give_up(pool, due, job_id))
        return
    at = datetime.now(UTC)
    tried = await _send(due, due.secret, settings)
    log.info("message %s: %s", due.key, tried.trouble or f"delivered in {tried.milliseconds} ms")
    next_at = _next_try(due, tried)
    if await patiently(lambda: _settle(pool, due, job_id, at, tried, next_at)) and next_at:
        raise TryAgain(next_at)


async def _send(due: Due, secret: bytes, settings: Settings) -> Tried:
    headers = signing.headers(due.key, int(time.time()), due.body, secret)
    return await post.post(due.url, due.body, headers, addresses.rule(settings.webhook_private))


def _next_try(due: Due, tried: Tried) -> datetime | None:
    if tried.delivered or tried.status == post.GONE:
        return None
    chance = Random()  # noqa: S311 - jitter
    return pauses.next_try(due.failures + 1, datetime.now(UTC), chance)


async def _due(pool: AsyncPool, message_id: int, job_id: int) -> Due | None:
    async with pool.connection() as conn:
        return await store.due(conn, message_id, job_id)


async def _give_up(pool: AsyncPool, due: Due, job_id: int) -> bool:
    async with pool.connection() as conn:
        return await store.settle(conn, due.id, job_id, OFF, None)


async def _settle(
    pool: AsyncPool, due: Due, job_id: int, at: datetime, tried: Tried, next_at: datetime | None
) -> bool:
    async with pool.connection() as conn:
        await store.note_try(conn, due.id, at, tried.status, tried.trouble, tried.milliseconds)
        if tried.status == post.GONE:
            await store.switch_off(conn, due.endpoint_id, GONE)
        return await store.settle(conn, due.id, job_id, tried.trouble, next_at)
