"""Work that outlives its database: what fails because the database is away, or is broken off, comes in; the
same work, done, goes out.
"""

import asyncio
import contextlib
import itertools
import logging
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

import psycopg
from procrastinate.exceptions import ConnectorException, ProcrastinateException
from psycopg_pool import PoolTimeout

from hrims.errors import DatabaseUnusable

AWAY = (psycopg.OperationalError, psycopg.InterfaceError)
"""What a lost database looks like, from psycopg and from its pool."""

LONGEST_WAIT = 5.0
"""Seconds at most between two looks whether the database is back."""

log = logging.getLogger(__name__)

T = TypeVar("T")


def heed_cancellation() -> None:
    """Raises CancelledError when this task was asked to end. Call it where a database error is survived: when
    the connection breaks just then, psycopg answers a cancellation with that, and nobody hears of it again.
    """
    current = asyncio.current_task()
    if current is not None and current.cancelling():
        raise asyncio.CancelledError


async def patiently(work: Callable[[], Awaitable[T]]) -> T:
    """Does work on the database, again and again while the database is away.

    The work must be a whole transaction that may be done twice: when a connection breaks while it
    commits, nobody can tell whether it did.
    """
    for tries in itertools.count():
        try:
            return await work()
        except (*AWAY, ConnectorException) as reason:
            # Procrastinate wraps whatever psycopg raised, so the cause decides.
            if isinstance(reason, ConnectorException) and not isinstance(reason.__cause__, AWAY):
                raise
            heed_cancellation()
            log.warning("the database is away (%s); trying again", type(reason).__name__)
            await asyncio.sleep(min(0.1 * 2**tries, LONGEST_WAIT) * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
    raise AssertionError("unreachable")


async def for_ever(words: str, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    """Does work again and again, so many seconds apart, and goes on after a database that was away, or
    anything else that ``words``, like ``tidy up webhooks``, may meet outside. Ends when it is cancelled, also
    when the work itself took no notice.
    """
    while True:
        try:
            await work()
        except (psycopg.Error, PoolTimeout, ProcrastinateException, DatabaseUnusable, OSError) as reason:
            log.warning("cannot %s just now: %s", words, type(reason).__name__)
        heed_cancellation()
        await asyncio.sleep(seconds)


async def to_its_end(work: Awaitable[T]) -> T:
    """Does what works in a pipeline to its end, also when whoever waits for it is cancelled meanwhile, and
    heeds that afterwards: psycopg may wait for ever for a pipeline that was broken off.
    """
    doing = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(doing)
    except asyncio.CancelledError:
        while not doing.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({doing})
        if not doing.cancelled() and (trouble := doing.exception()):
            log.info("what was broken off had failed: %s", type(trouble).__name__)
        raise
