"""One attempt. Input: the id of a run. Output: the saved result of the attempt, and an error for the queue.

The caller passes the work as a function, so that this package does not depend on pages or employees.
"""

import asyncio
import contextlib
import os
import platform
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from random import Random

import psycopg
from psycopg_pool import PoolTimeout
from structlog.contextvars import bound_contextvars

from hrims import metrics, request_ids, tracing
from hrims.config import Settings
from hrims.db import AsyncPool
from hrims.errors import HrimsSyncError, RemoteDown, StaleAttempt
from hrims.jobs.attempts import attempt_log, store
from hrims.jobs.attempts.attempt_log import AttemptLog
from hrims.jobs.attempts.retry import RetryLater, RunFailed, next_attempt
from hrims.jobs.attempts.retry_policy import Deadline
from hrims.jobs.attempts.rights import check_rights
from hrims.jobs.attempts.store import Attempt
from hrims.log import format_traceback, get_logger
from hrims.resilience import is_limit, name_of, retry_on_disconnect, run_periodically

UNEXPECTED = (
    "Something went wrong inside HRIMS Sync. What was saved stays. "
    "Tell the operator of HRIMS Sync; the log has the details."
)

STATEMENT_LIMIT = (
    "The database stopped a statement of this run at a limit, like statement_timeout (SQLSTATE {}). "
    "What was saved stays. Tell the operator of HRIMS Sync."
)

NO_TIME_LEFT = "No time is left for another attempt before its deadline."

log = get_logger(__name__)


class ShutdownRequested(Exception):
    """The worker stops, and the work has reached a point at which the run can be handed back."""


Work = Callable[[Attempt, Deadline], Awaitable[None]]
"""The work of an attempt. It finalizes the run in the transaction that saves its outcome, or raises."""


async def run_attempt(pool: AsyncPool, settings: Settings, run_id: int, job_id: int, work: Work) -> None:
    """Execute ``work`` under a new fencing number and save its log, unless the job no longer owns the run.

    ``work`` raises ShutdownRequested when the run can be handed back, and DeadlinePassed through the Deadline
    that it gets.

    Raises RetryLater if another attempt follows, RunFailed if the run has failed. Both tell the queue what to
    do with the job.
    """
    attempt = await retry_on_disconnect(lambda: _begin(pool, run_id, job_id))
    if attempt is None:
        log.info("attempt_not_needed", run=run_id, job=job_id)
        return
    context = bound_contextvars(**_context_of(attempt))
    with context, _span_of(attempt), attempt_log.capture() as log_lines:
        async with _save_log_of(pool, settings, attempt, log_lines):
            await _run_attempt(pool, settings, attempt, work)


def _span_of(attempt: Attempt) -> AbstractContextManager[object]:
    return tracing.span(
        f"attempt {attempt.kind}",
        "CONSUMER",
        attempt.traceparent,
        run=attempt.run_id,
        attempt=attempt.number,
        institution=attempt.institution_id,
        waited_seconds=round(attempt.waited_seconds, 3),
    )


def _context_of(attempt: Attempt) -> dict[str, object]:
    context = {
        "run": attempt.run_id,
        "attempt": attempt.number,
        "institution": attempt.institution_id,
        "institution_name": attempt.institution_name,
        request_ids.FIELD: attempt.request_id,
    }
    return {key: value for key, value in context.items() if value is not None}


async def _run_attempt(pool: AsyncPool, settings: Settings, attempt: Attempt, work: Work) -> None:
    log.info("attempt_started")
    began_at, deadline = time.monotonic(), Deadline(attempt.seconds_left)
    if attempt.number == 1:
        metrics.RUN_WAIT.observe(attempt.waited_seconds)
    try:
        deadline.check()
        await retry_on_disconnect(lambda: check_rights(pool, attempt))
        await work(attempt, deadline)
        _count(attempt, "finished", began_at)
    except StaleAttempt:
        log.warning("attempt_stale")
        _count(attempt, "stale")
    except (asyncio.CancelledError, ShutdownRequested):
        _absorb_cancellation()
        await _hand_back(pool, attempt)
    except RemoteDown as error:
        await _hand_back(pool, attempt, error)
    except Exception as error:  # noqa: BLE001 - the run must record every failure
        try:
            await _record_failure(pool, settings, attempt, deadline, error)
        except RetryLater:
            _count(attempt, "retried")
            raise
        except RunFailed:
            _count(attempt, "failed", began_at)
            raise


def _count(attempt: Attempt, result: str, began_at: float | None = None) -> None:
    """Count an attempt. If it ended its run, ``began_at`` is the attempt's beginning."""
    metrics.ATTEMPTS.labels(attempt.kind, result).inc()
    if began_at is not None:
        state = "failed" if result == "failed" else "completed"
        metrics.RUN_DURATION.labels(state).observe(attempt.waited_seconds + time.monotonic() - began_at)


@contextlib.asynccontextmanager
async def _save_log_of(
    pool: AsyncPool, settings: Settings, attempt: Attempt, log_lines: AttemptLog
) -> AsyncIterator[None]:
    """Save the attempt's log once per heartbeat and at the end, so that a killed worker leaves most of it."""

    async def save(traceback: str | None = None) -> None:
        lines, left_out = log_lines.read()
        async with pool.connection() as conn:
            await store.save_log(conn, attempt.run_id, attempt.number, lines, left_out, traceback)

    async def save_if_changed() -> None:
        if log_lines.has_new:
            await save()

    saving = asyncio.create_task(run_periodically("attempt_log", settings.beat_seconds, save_if_changed))
    cause: BaseException | None = None
    try:
        yield
    except (RetryLater, RunFailed) as outcome:
        # An open breaker and a shutdown are not errors.
        cause = (
            None if isinstance(outcome.__context__, ShutdownRequested | RemoteDown) else outcome.__context__
        )
        raise
    finally:
        saving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await saving
        # Not retry_on_disconnect: the attempt's result is saved, and its job must not wait for a few lines.
        with contextlib.suppress(psycopg.Error, PoolTimeout):
            await save(format_traceback(cause) if isinstance(cause, Exception) else None)


def _absorb_cancellation() -> None:
    """Absorb the cancellation so that the following writes complete."""
    current = asyncio.current_task()
    while current is not None and current.cancelling():
        current.uncancel()


async def _begin(pool: AsyncPool, run_id: int, job_id: int) -> Attempt | None:
    async with pool.connection() as conn:
        return await store.begin(conn, run_id, job_id, platform.node(), os.getpid())


async def _hand_back(pool: AsyncPool, attempt: Attempt, error: RemoteDown | None = None) -> None:
    # A cancelled run is no longer active, and stays cancelled. Otherwise the worker stops or its breaker is
    # open: the run is due immediately, for a worker whose breaker is closed.
    details = (str(error), error.code) if error else ()

    async def write() -> bool:
        async with pool.connection() as conn:
            return await store.hand_back(conn, attempt, *details)

    if await retry_on_disconnect(write):
        log.info("attempt_handed_back", code=error and error.code)
        _count(attempt, "handed_back")
        raise RetryLater(datetime.now(UTC))


async def _record_failure(
    pool: AsyncPool, settings: Settings, attempt: Attempt, deadline: Deadline, error: Exception
) -> None:
    message, code = _message_of(error)
    at = _next_attempt_at(settings, attempt, error)
    if at and not deadline.has_left((at - datetime.now(UTC)).total_seconds()):
        at, message = None, f"{message} {NO_TIME_LEFT}"

    async def write() -> bool:
        async with pool.connection() as conn:
            if at:
                return await store.delay(conn, attempt, at, message, code)
            return await store.fail(conn, attempt, message, code)

    if not await retry_on_disconnect(write):
        return
    if at:
        log.info("run_delayed", code=code, seconds=round((at - datetime.now(UTC)).total_seconds(), 1))
        raise RetryLater(at)
    log.warning("run_failed", code=code, failures=attempt.failures + 1)
    raise RunFailed(message)


def _next_attempt_at(settings: Settings, attempt: Attempt, error: Exception) -> datetime | None:
    """Return when the next attempt is due; None if the run has failed."""
    if isinstance(error, HrimsSyncError) and not error.is_retryable:
        return None
    max_attempts = attempt.attempts or settings.attempts
    first_pause = settings.attempt_pause if attempt.attempt_pause is None else attempt.attempt_pause
    rng = Random()  # noqa: S311 - jitter
    return next_attempt(attempt.failures + 1, max_attempts, first_pause, datetime.now(UTC), rng)


def _message_of(error: Exception) -> tuple[str, str]:
    if isinstance(error, HrimsSyncError):
        log.warning("attempt_failed", code=error.code, message=str(error))
        return str(error), error.code
    if isinstance(error, psycopg.Error):
        log.error("attempt_failed", code="database", error=name_of(error))
        if is_limit(error):
            return STATEMENT_LIMIT.format(error.sqlstate), "database"
        return "The database refused a page. What was saved before stays.", "database"
    log.error("attempt_failed", code="unexpected", exc_info=error)
    return UNEXPECTED, "unexpected"
