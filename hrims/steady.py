"""Work that outlives its database: what fails because the database is away, or is broken off, comes in; the
same work, done, goes out.
"""

import asyncio
import contextlib
import itertools
import logging
import random
import time
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, TypeVar

import psycopg
from procrastinate.exceptions import ConnectorException, ProcrastinateException
from psycopg_pool import PoolTimeout

from hrims.errors import DatabaseUnusable

AWAY = (psycopg.OperationalError, psycopg.InterfaceError)
"""What a lost database looks like, from psycopg and from its pool."""

OUTAGES = frozenset({"08", "25", "53", "55", "58", "XX"})
"""Classes of SQLSTATE that describe the server's state, not a fault of the statement."""

SHUTDOWNS = frozenset({"57P01", "57P02", "57P03", "57P05"})
"""The server ends sessions or admits none. The rest of class 57 ends one statement, like 57014."""

TEMP_FILE_LIMIT = "53400"
"""A limit of the configuration on one statement, though its class is that of the server's resources."""

READ_ONLY = "25006"

UNCLEAR = frozenset({"25", "XX"})
"""Classes of an outage that may also be a fault of ours or of the data."""

UNCLEAR_SECONDS = 60.0
"""Seconds for which work is repeated after its first unclear error."""

CONFLICTS = "40"
"""The class of deadlocks and serialization failures: the statement lost against another transaction."""

CONFLICT_TRIES = 10
"""Conflicts after which work is not repeated."""

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
    """Return whether the database is away, read-only, full or failing, so that nothing else works either."""
    found = database_error(error)
    if found is None:
        return False
    if found.sqlstate is None:
        return isinstance(found, AWAY)
    if found.sqlstate == TEMP_FILE_LIMIT:
        return False
    return found.sqlstate in SHUTDOWNS or _class_of(found) in OUTAGES


def is_temporary(error: BaseException) -> bool:
    """Return whether the same work may succeed later: an outage, a conflict, or an error that is unclear."""
    return is_outage(error) or isinstance(database_error(error), psycopg.OperationalError)


def is_conflict(error: BaseException) -> bool:
    """Return whether the database ended the work in favour of another transaction."""
    found = database_error(error)
    return found is not None and _class_of(found) == CONFLICTS


def is_limit(error: BaseException) -> bool:
    """Return whether the database ended one statement and works otherwise: statement_timeout, a limit of the
    program or of temporary files, an operator.
    """
    return is_temporary(error) and not is_outage(error) and not is_conflict(error)


def is_unclear(error: BaseException) -> bool:
    """Return whether the error may last: a limit, or what may also be a fault of ours or of the data."""
    found = database_error(error)
    if found is None or found.sqlstate == READ_ONLY:
        return False
    return _class_of(found) in UNCLEAR or is_limit(found)


def _class_of(error: psycopg.Error) -> str:
    return (error.sqlstate or "")[:2]


class _Budget:
    """The errors that one piece of work may still meet: outages without end, conflicts a few times, unclear
    errors for a time.
    """

    def __init__(self) -> None:
        self._conflicts = 0
        self._unclear_until: float | None = None

    def allows(self, error: BaseException) -> bool:
        """Count the error; return whether to repeat the work."""
        if is_conflict(error):
            self._conflicts += 1
            return self._conflicts < CONFLICT_TRIES
        if not is_unclear(error):
            self._unclear_until = None
            return True
        now = time.monotonic()
        if self._unclear_until is None:
            self._unclear_until = now + UNCLEAR_SECONDS
        return now < self._unclear_until


async def patiently(work: Callable[[], Awaitable[T]]) -> T:
    """Do work on the database. Repeat it while the database is away or cannot write, and for a bounded time
    after conflicts and unclear errors, like a statement_timeout.

    The work must be a whole transaction that may be done twice: when a connection breaks while it
    commits, nobody can tell whether it did.
    """
    budget = _Budget()
    for tries in itertools.count():
        try:
            return await work()
        except (psycopg.Error, ConnectorException) as error:
            if not is_temporary(error):
                raise
            heed_cancellation()
            if not budget.allows(error):
                raise
            log.warning("the database cannot do it now (%s); trying again", name_of(error))
            await asyncio.sleep(min(0.1 * 2 ** min(tries, 10), LONGEST_WAIT) * random.uniform(0.5, 1.0))  # noqa: S311 - jitter
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


async def cancel_all(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    """Cancel tasks and wait until all have ended, however they do. Raise CancelledError afterwards if the
    caller was cancelled meanwhile: that cannot be told from the end of a task that it waits for.
    """
    cancelled = list(tasks)
    for task in cancelled:
        task.cancel()
    for task in cancelled:
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task
    heed_cancellation()


async def to_its_end(work: Awaitable[T]) -> T:
    """Run work in a pipeline to its end, also if the caller is cancelled meanwhile; then raise
    CancelledError. psycopg may wait for ever for a pipeline that was broken off.
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
