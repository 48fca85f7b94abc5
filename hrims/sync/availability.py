"""What becomes of a page that failed: its error is the input; whether the page is given up is the output.
Where failures leave it open, HRIMS is asked whether it is there, or for a page that it answered before.
"""

import contextlib
import time
from random import Random

from hrims.db import AsyncPool
from hrims.errors import RemoteError, RemoteShort, RemoteUnreachable
from hrims.jobs.attempts.store import Attempt
from hrims.steady import patiently
from hrims.sync import store
from hrims.sync.plan import Ask, Plan
from hrims.sync.spans import Span
from hrims.sync.work import Reader

LOOKS = 8
"""Pages that are requested in turn: a record that breaks one may have moved there."""

CONTROLS = 4
"""Requests for pages that were answered before, after which HRIMS no longer answers pages."""


async def is_given_up(reader: Reader, plan: Plan, ask: Ask, error: RemoteError, rng: Random) -> bool:
    """Plan what follows a failure. Return True if the page cannot be had. Raise RemoteError if none can."""
    try:
        given_up = plan.failed(ask, error, time.monotonic(), rng)
    except RemoteUnreachable:
        if plan.hopeless:
            raise
        # A record may break the connection as well as the answer: then HRIMS is there for others.
        await _check_it_is_there(reader)
        given_up = plan.split(ask, error, time.monotonic())
    if isinstance(error, RemoteShort):
        return given_up
    if (given_up and ask.is_unconfirmed) or (plan.doubted and ask.is_suspect):
        await _confirm(reader, plan, rng)
    elif plan.doubted:
        await _check_it_is_there(reader)
    elif plan.is_to_confirm(ask):
        with contextlib.suppress(RemoteError):
            await _confirm(reader, plan, rng, tries=1)
    return given_up


async def _confirm(reader: Reader, plan: Plan, rng: Random, tries: int = CONTROLS) -> None:
    """Request pages that HRIMS answered before, until it answers one. Raise RemoteError if it does not:
    then a record that fails is not proven to be broken.
    """
    spans = await patiently(lambda: cheapest_pages(reader.pool, reader.attempt))
    rng.shuffle(spans)
    for left in reversed(range(tries)):
        span = spans[left % len(spans)]
        try:
            await reader.request(span)
        except RemoteError:
            if not left:
                raise
        else:
            plan.confirmed()
            return


async def _check_it_is_there(reader: Reader) -> None:
    """Raises RemoteError when HRIMS answers nothing else either, asked twice: once it fails by chance."""
    async with reader.slots.one():
        try:
            await reader.remote.check()
        except RemoteError:
            await reader.remote.check()


async def cheapest_pages(pool: AsyncPool, attempt: Attempt) -> list[Span]:
    """Return some pages that HRIMS answered in this run, those with the fewest records first."""
    async with pool.connection() as conn:
        return [Span(*one) for one in await store.cheapest_pages(conn, attempt, LOOKS)]
