"""Retries, periodic tasks and cancellation for work that must survive outages of the database.

Also classifies database errors: outage, conflict, limit, unclear.
"""

import asyncio
import contextlib
import itertools
import time
from collections.abc import Awaitable, Callable, Iterable
from logging import DEBUG, WARNING
from random import Random
from typing import Any, TypeVar

import psycopg
from procrastinate.exceptions import ConnectorException, ProcrastinateException
from psycopg_pool import PoolTimeout

from hrims.backoff import exponential_backoff, half_jitter
from hrims.errors import DatabaseUnusable
from hrims.log import get_logger
from hrims.outages import outages

CONNECTION_ERRORS = (psycopg.OperationalError, psycopg.InterfaceError)
"""Errors of psycopg and its pool that, without a SQLSTATE, mean that the database is away."""

OUTAGE_CLASSES = frozenset({"08", "25", "53", "55", "58", "XX"})
"""Classes of SQLSTATE that describe the state of the server, not an error in the statement."""

SHUTDOWN_CODES = frozenset({"57P01", "57P02", "57P03", "57P05"})
"""The server ends sessions or admits none. The rest of class 57, like 57014, ends one statement."""

TEMP_FILE_LIMIT = "53400"
"""A configured limit of one statement, although its class is that of the server's resources."""

READ_ONLY = "25006"

UNCLEAR_CLASSES = frozenset({"25", "XX"})
"""Classes of outages that may also be an error in our code or in the data."""

FIRST_BACKOFF = 0.1
"""Seconds before the first retry of work on the database."""

UNCLEAR_SECONDS = 60.0
"""Seconds for which work is retried after its first unclear error."""

CONFLICTS = "40"
"""The class of deadlocks and serialization failures, in which another transaction won."""

MAX_CONFLICTS = 10
"""Number of conflicts after which work is not retried."""

MAX_BACKOFF = 5.0
"""Maximum number of seconds between two retries during an outage."""

log = get_logger(__name__)

T = TypeVar("T")


def raise_if_cancelled() -> None:
    """Raise CancelledError if this task was cancelled. Call it wherever a database error is survived.

    If the connection breaks during a cancellation, psycopg raises only the database error, and the
    cancellation would be lost.
    """
    current = asyncio.current_task()
    if current is not None and current.cancelling():
        raise asyncio.CancelledError


def database_error(error: BaseException | None) -> psycopg.Error | None:
    """Return psycopg's error, which Procrastinate may have wrapped; None if there is none."""
    if isinstance(error, ConnectorException):
        error = error.__cause__
    return error if isinstance(error, psycopg.Error) else None


def is_read_only(error: BaseException) -> bool:
    """Return whether a write failed because the database is read-only."""
    db_error = database_error(error)
    return db_error is not None and db_error.sqlstate == READ_ONLY


def is_outage(error: BaseException) -> bool:
    """Return whether the database is away, read-only, full or failing, so that other statements fail too."""
    db_error = database_error(error)
    if db_error is None:
        return False
    if db_error.sqlstate is None:
        return isinstance(db_error, CONNECTION_ERRORS)
    if db_error.sqlstate == TEMP_FILE_LIMIT:
        return False
    return db_error.sqlstate in SHUTDOWN_CODES or _class_of(db_error) in OUTAGE_CLASSES


def note_outage(error: BaseException) -> bool:
    """Log the reason if the database is away, at most once in ten seconds. Return whether it is.

    A pool without a free connection is no reason: its failed connections are noted when they fail.
    """
    db_error = database_error(error)
    if isinstance(db_error, PoolTimeout):
        return outages.is_away
    if db_error is None or not is_outage(db_error):
        return False
    outages.note_failure(db_error)
    return True


def is_temporary(error: BaseException) -> bool:
    """Return whether a retry may succeed: after an outage, a conflict or an unclear error."""
    return is_outage(error) or isinstance(database_error(error), psycopg.OperationalError)


def is_conflict(error: BaseException) -> bool:
    """Return whether the database rolled the work back in favour of another transaction."""
    db_error = database_error(error)
    return db_error is not None and _class_of(db_error) == CONFLICTS


def is_deadlock(error: BaseException) -> bool:
    """Return whether the database ended the transaction because of a deadlock."""
    return isinstance(database_error(error), psycopg.errors.DeadlockDetected)


def is_limit(error: BaseException) -> bool:
    """Return whether the database ended one statement and otherwise works.

    Causes are statement_timeout, a limit of the program or of temporary files, or an operator.
    """
    return is_temporary(error) and not is_outage(error) and not is_conflict(error)


def is_unclear(error: BaseException) -> bool:
    """Return whether the error may be permanent: a limit, or perhaps an error in our code or in the data."""
    db_error = database_error(error)
    if db_error is None or db_error.sqlstate == READ_ONLY:
        return False
    return _class_of(db_error) in UNCLEAR_CLASSES or is_limit(db_error)


def _class_of(error: psycopg.Error) -> str:
    return (error.sqlstate or "")[:2]


class _Budget:
    """The retry budget of one piece of work.

    Outages are unlimited, conflicts limited by number, unclear errors by time.
    """

    def __init__(self) -> None:
        self._conflicts = 0
        self._unclear_until: float | None = None

    def allows(self, error: BaseException) -> bool:
        """Count the error. Return whether to retry the work."""
        if is_conflict(error):
            self._conflicts += 1
            return self._conflicts < MAX_CONFLICTS
        if not is_unclear(error):
            self._unclear_until = None
            return True
        now = time.monotonic()
        if self._unclear_until is None:
            self._unclear_until = now + UNCLEAR_SECONDS
        return now < self._unclear_until


async def retry_on_disconnect(work: Callable[[], Awaitable[T]]) -> T:
    """Run work on the database. Retry it while the database is away or read-only.

    After conflicts, retry a few times. After unclear errors, like a statement_timeout, retry for a while.

    The work must be a whole, idempotent transaction. If the connection breaks during the COMMIT, it is
    unknown whether the transaction was committed.
    """
    budget, rng = _Budget(), Random()  # noqa: S311 - jitter
    for retries in itertools.count(1):
        try:
            result = await work()
        except (psycopg.Error, ConnectorException) as error:
            if not is_temporary(error):
                raise
            raise_if_cancelled()
            if not budget.allows(error):
                raise
            _log_retry(error, retries)
            await asyncio.sleep(half_jitter(exponential_backoff(FIRST_BACKOFF, retries, MAX_BACKOFF), rng))
        else:
            if retries > 1:
                outages.note_success()
            return result
    raise AssertionError("unreachable")


def _log_retry(error: BaseException, retries: int) -> None:
    if is_deadlock(error):
        # A deadlock is a defect: two transactions of ours lock the same rows in different orders.
        log.error("deadlock_retried", error=name_of(error), retries=retries)
    else:
        is_told = note_outage(error) and retries > 1
        log.log(DEBUG if is_told else WARNING, "database_retried", error=name_of(error), retries=retries)


def name_of(error: BaseException) -> str:
    """Return the type of an error for the log, with its SQLSTATE. Its message may repeat data."""
    db_error = database_error(error)
    if db_error is None:
        return type(error).__name__
    return f"{type(db_error).__name__} {db_error.sqlstate}" if db_error.sqlstate else type(db_error).__name__


async def run_periodically(task: str, seconds: float, work: Callable[[], Awaitable[object]]) -> None:
    """Run work repeatedly, with pauses of ``seconds`` seconds, until cancelled.

    Survive database errors and OSError: log them with the name of the ``task``, and continue. A cancellation
    takes effect even if the work swallows it.
    """
    while True:
        await run_and_log_failure(task, work)
        await asyncio.sleep(seconds)


async def run_and_log_failure(task: str, work: Callable[[], Awaitable[object]]) -> None:
    """Run work once. Log a database error or OSError with the name of the ``task``, and return normally."""
    try:
        await work()
    except (psycopg.Error, PoolTimeout, ProcrastinateException, DatabaseUnusable, OSError) as error:
        _log_failure(task, error, name_of(error))
    raise_if_cancelled()


def _log_failure(task: str, error: Exception, name: str) -> None:
    if is_deadlock(error):
        log.error("deadlock_retried", task=task, error=name)
    else:
        log.log(DEBUG if note_outage(error) else WARNING, "background_task_failed", task=task, error=name)


async def cancel_all(tasks: Iterable["asyncio.Task[Any]"]) -> None:
    """Cancel tasks and wait until all have ended, with any result.

    Raises CancelledError afterwards if the caller was cancelled meanwhile. While it waits, that looks like
    the end of a task.
    """
    cancelled = list(tasks)
    for task in cancelled:
        task.cancel()
    for task in cancelled:
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task
    raise_if_cancelled()


async def shield_until_done(work: Awaitable[T]) -> T:
    """Run work in a pipeline to its end, even if the caller is cancelled meanwhile; then raise
    CancelledError.

    psycopg may otherwise wait indefinitely for an interrupted pipeline.
    """
    task = asyncio.ensure_future(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        while not task.done():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.wait({task})
        if not task.cancelled() and (error := task.exception()):
            log.info("cancelled_work_failed", error=name_of(error))
        raise
