"""Work that outlives its database: what fails because the database is away, or is broken off, comes in; the
same work, done, goes out.
"""

import asyncio
import contextlib
import itertools
import logging
import random
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

import psycopg
from procrastinate.exceptions import ConnectorException, ProcrastinateException
from psycopg_pool import PoolTimeout

from hrims.errors import DatabaseUnusable

AWAY = (psycopg.OperationalError, psycopg.InterfaceError)
"""What a lost database looks like, from psycopg and from its pool."""

OUTAGES = frozenset({"08", "25", "53", "55", "57", "58", "XX"})
"""Classes of SQLSTATE that describe the server's state, not a fault of the statement."""

READ_ONLY = "25006"

UNCLEAR = frozenset({"25", "XX"})
"""Classes that may also be a fault of ours or of the data: work is not repeated for ever after them."""

UNCLEAR_SECONDS = 60.0
"""Seconds for which work is repeated after an error of an unclear class."""

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


def database_error(error: BaseException | None) -> psycopg.Error | None:
    """Return psycopg's error: Procrastinate wraps it. None if the error is another one."""
    if isinstance(error, ConnectorException):
        error = error.__cause__
    return error if isinstance(error, psycopg.Error) else None


def is_read_only(error: BaseException) -> bool:
    """Return whether a write failed because the database is read-only."""
    found = database_error(error)
    return found is not None and found.sqlstate == READ_ONLY


def is_outage(error: BaseException) -> bool:
    """Return whether the same work may succeed later: the database is away, read-only, full or failing."""
    found = database_error(error)
    return isinstance(found, AWAY) or (found is not None and _class_of(found) in OUTAGES)


def _class_of(error: psycopg.Error) -> str:
    return (error.sqlstate or "")[:2]


def is_unclear(error: BaseException) -> bool:
    """Return whether the error may also be a fault of ours or of the data, and repeating the work useless."""
    found = database_error(error)
    return found is not None and _class_of(found) in UNCLEAR and found.sqlstate != READ_ONLY


async def patiently(work: Callable[[], Awaitable[T]]) -> T:
    """Does work on the database, again and again while the database is away or cannot write.

    The work must be a whole transaction that may be done twice: when a connection breaks while it
    commits, nobody can tell whether it did.
    """
    unclear_until = time.monotonic() + UNCLEAR_SECONDS
    for tries in itertools.count():
        try:
            return await work()
        except (psycopg.Error, ConnectorException) as error:
            if not is_outage(error) or (is_unclear(error) and time.monotonic() > unclear_until):
                raise
            heed_cancellation()
            log.warning("the database is away or read-only (%s); trying again", name_of(error))
            await asyncio.sleep(min(0.1 * 2**tries, LONGEST_WAIT) * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
    raise AssertionError("unreachable")


def name_of(error: BaseException) -> str:
    """Return an error's kind for the log, with its SQLSTATE; its text may repeat data."""
    found = database_error(error)
    if found is None:
        return type(error).__name__
    return f"{type(found).__name__} {found.sqlstate}" if found.sqlstate else type(found).__name__


async def for_ever(words: str, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    """Does work again and again, so many seconds apart, and goes on after a database that was away, or
    anything else that ``words``, like ``tidy up webhooks``, may meet outside. Ends when it is cancelled, also
    when the work itself took no notice.
    """
    while True:
        try:
            await work()
        except (psycopg.Error, PoolTimeout, ProcrastinateException, DatabaseUnusable, OSError) as reason:
            log.warning("cannot %s just now: %s", words, name_of(reason))
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
