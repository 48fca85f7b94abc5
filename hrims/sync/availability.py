"""Decides whether a page that failed is abandoned. Input: the error. Output: the decision.

If failures leave it open whether HRIMS responds at all, this module sends another request: a health check, or
a page that HRIMS returned before.
"""

import contextlib
import time
from random import Random

from hrims.db import AsyncPool
from hrims.errors import RemoteError, RemoteShort, RemoteUnreachable
from hrims.jobs.attempts.store import Attempt
from hrims.resilience import retry_on_disconnect
from hrims.sync import store
from hrims.sync.context import SyncContext
from hrims.sync.failure_policy import RemoteState
from hrims.sync.page_scheduler import PageRequest, PageScheduler
from hrims.sync.spans import Span

CONFIRMATION_PAGES = 8
"""Pages that are requested in turn: a record that breaks a page may have moved to one of them."""

CONFIRMATION_TRIES = 4
"""Failed requests for pages that HRIMS returned before, after which HRIMS counts as failing."""


async def handle_failure(
    context: SyncContext, scheduler: PageScheduler, request: PageRequest, error: RemoteError, rng: Random
) -> bool:
    """Plan what follows a failure. Return whether the page cannot be fetched.

    Raises RemoteError if no page can be fetched.
    """
    try:
        is_abandoned = scheduler.add_failure(request, error, time.monotonic(), rng)
    except RemoteUnreachable:
        if scheduler.remote_state is RemoteState.FAILING:
            raise
        # A record may break the connection as well as the response. Then HRIMS responds to other requests.
        await _check_remote(context)
        is_abandoned = scheduler.split(request, error, time.monotonic())
    if isinstance(error, RemoteShort):
        return is_abandoned
    if (is_abandoned and request.is_unconfirmed) or (scheduler.should_check_remote and request.is_suspect):
        await _confirm_remote_answers(context, scheduler, rng)
    elif scheduler.should_check_remote:
        await _check_remote(context)
    elif scheduler.needs_confirmation(request):
        with contextlib.suppress(RemoteError):
            await _confirm_remote_answers(context, scheduler, rng, tries=1)
    return is_abandoned


async def _confirm_remote_answers(
    context: SyncContext, scheduler: PageScheduler, rng: Random, tries: int = CONFIRMATION_TRIES
) -> None:
    """Request pages that HRIMS returned before, until it returns one.

    Raises RemoteError if it returns none: then a record that fails is not proven to be broken.
    """
    spans = await retry_on_disconnect(lambda: cheapest_pages(context.pool, context.attempt))
    rng.shuffle(spans)
    for left in reversed(range(tries)):
        span = spans[left % len(spans)]
        try:
            await context.request(span)
        except RemoteError:
            if not left:
                raise
        else:
            scheduler.add_confirmation()
            return


async def _check_remote(context: SyncContext) -> None:
    """Raise RemoteError if HRIMS fails two health checks in a row: one may fail by chance."""
    async with context.slots.acquire():
        try:
            await context.remote.check()
        except RemoteError:
            await context.remote.check()


async def cheapest_pages(pool: AsyncPool, attempt: Attempt) -> list[Span]:
    """Return some pages that HRIMS returned in this run, those with the fewest records first."""
    async with pool.connection() as conn:
        return [Span(*page) for page in await store.cheapest_pages(conn, attempt, CONFIRMATION_PAGES)]
