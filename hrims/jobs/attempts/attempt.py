"""One attempt: a run's number comes in; how the attempt ended is written down and told to the queue.

The work itself is given as a function, so that this room knows nothing of pages or people.
"""

import asyncio
import contextlib
import logging
import os
import platform
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from random import Random

import psycopg
from psycopg_pool import PoolTimeout

from hrims.config import Settings
from hrims.db import AsyncPool
from hrims.errors import Fenced, HrimsSyncError, RemoteDown
from hrims.jobs.attempts import diary, store
from hrims.jobs.attempts.diary import Diary
from hrims.jobs.attempts.patience import Deadline
from hrims.jobs.attempts.retry import GivenUp, TryAgain, next_attempt
from hrims.jobs.attempts.store import Attempt
from hrims.steady import for_ever, is_limit, name_of, patiently

UNEXPECTED = (
    "Something went wrong inside HRIMS Sync. What was saved stays. "
    "Tell whoever runs HRIMS Sync; the log has the details."
)

LIMIT = (
    "The database stopped a statement of this run at a limit, like statement_timeout (SQLSTATE {}). "
    "What was saved stays. Tell the operator of HRIMS Sync."
)

TOO_LATE = "No time is left for another attempt before its deadline."

log = logging.getLogger(__name__)


class Stopping(Exception):
    """The worker was asked to stop, and the work is at a moment at which it can be handed back."""


Work = Callable[[Attempt, Deadline], Awaitable[None]]
"""What an attempt does: it ends the run itself, in the transaction that counts it, or raises."""


async def carry_out(pool: AsyncPool, settings: Settings, run_id: int, job_id: int, work: Work) -> None:
    """Carries ``work`` out under a new fence number, if this job still has a say in the run, and keeps what
    it logs. ``work`` raises Stopping when it can be handed back, DeadlinePassed by the Deadline that it is
    given.

    Raises TryAgain when another attempt is to follow, GivenUp when the run has failed: the queue goes by
    these.
    """
    attempt = await patiently(lambda: _begin(pool, run_id, job_id))
    if attempt is None:
        log.info("run %s needs no attempt from job %s", run_id, job_id)
        return
    with diary.kept() as pages:
        async with _kept_in(pool, settings, attempt, pages):
            await _carry_out(pool, settings, attempt, work)


async def _carry_out(pool: AsyncPool, settings: Settings, attempt: Attempt, work: Work) -> None:
    log.info("run %s attempt %s begins", attempt.run_id, attempt.number)
    deadline = Deadline(attempt.seconds_left)
    try:
        deadline.check()
        await work(attempt, deadline)
    except Fenced as reason:
        log.warning("run %s attempt %s: %s", attempt.run_id, attempt.number, reason)
    except (asyncio.CancelledError, Stopping):
        _heeded()
        await _hand_back(pool, attempt)
    except RemoteDown as reason:
        await _hand_back(pool, attempt, reason)
    except Exception as reason:  # noqa: BLE001 - whatever it was, the run must say how it stands
        await _failed(pool, settings, attempt, deadline, reason)


@contextlib.asynccontextmanager
async def _kept_in(
    pool: AsyncPool, settings: Settings, attempt: Attempt, pages: Diary
) -> AsyncIterator[None]:
    """Keeps the diary with the attempt, once a beat and at the end: a worker that is killed leaves most of
    it.
    """

    async def keep(traceback: str | None = None) -> None:
        lines, left_out = pages.read()
        async with pool.connection() as conn:
            await store.keep_diary(conn, attempt.run_id, attempt.number, lines, left_out, traceback)

    async def keep_news() -> None:
        if pages.unread:
            await keep()

    keeping = asyncio.create_task(for_ever("keep a log", settings.beat_seconds, keep_news))
    trouble: BaseException | None = None
    try:
        yield
    except (TryAgain, GivenUp) as ended:
        # Waiting and stopping are no trouble.
        trouble = None if isinstance(ended.__context__, Stopping | RemoteDown) else ended.__context__
        raise
    finally:
        keeping.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await keeping
        # Not patiently: the run is ended, and its job must not wait for a few lines.
        with contextlib.suppress(psycopg.Error, PoolTimeout):
            await keep(diary.told(trouble) if isinstance(trouble, Exception) else None)


def _heeded() -> None:
    """The cancellation ends here: what is written now is not broken off by it."""
    current = asyncio.current_task()
    while current is not None and current.cancelling():
        current.uncancel()


async def _begin(pool: AsyncPool, run_id: int, job_id: int) -> Attempt | None:
    async with pool.connection() as conn:
        return await store.begin(conn, run_id, job_id, platform.node(), os.getpid())


async def _hand_back(pool: AsyncPool, attempt: Attempt, down: RemoteDown | None = None) -> None:
    # Either the run was cancelled (then it is no longer active and stays so), or the worker stops, or HRIMS
    # is not asked: then it is due at once, and taken by whoever asks HRIMS.
    about = (str(down), down.code) if down else ()

    async def write() -> bool:
        async with pool.connection() as conn:
            return await store.hand_back(conn, attempt, *about)

    if await patiently(write):
        log.info("run %s attempt %s: handed back", attempt.run_id, attempt.number)
        raise TryAgain(datetime.now(UTC))


async def _failed(
    pool: AsyncPool, settings: Settings, attempt: Attempt, deadline: Deadline, reason: Exception
) -> None:
    words, code = _words(attempt, reason)
    at = _next(settings, attempt, reason)
    if at and not deadline.leaves((at - datetime.now(UTC)).total_seconds()):
        at, words = None, f"{words} {TOO_LATE}"

    async def write() -> bool:
        async with pool.connection() as conn:
            if at:
                return await store.delay(conn, attempt, at, words, code)
            return await store.fail(conn, attempt, words, code)

    if await patiently(write):
        raise TryAgain(at) if at else GivenUp(words)


def _next(settings: Settings, attempt: Attempt, reason: Exception) -> datetime | None:
    """When the next attempt is due; None when there is to be none."""
    most = attempt.attempts or settings.attempts
    final = isinstance(reason, HrimsSyncError) and not reason.again
    first = settings.attempt_pause if attempt.attempt_pause is None else attempt.attempt_pause
    chance = Random()  # noqa: S311 - jitter
    return next_attempt(most if final else attempt.failures + 1, most, first, datetime.now(UTC), chance)


def _words(attempt: Attempt, reason: Exception) -> tuple[str, str]:
    if isinstance(reason, HrimsSyncError):
        log.warning("run %s attempt %s failed: %s", attempt.run_id, attempt.number, reason)
        return str(reason), reason.code
    if isinstance(reason, psycopg.Error):
        log.error("run %s attempt %s: %s", attempt.run_id, attempt.number, name_of(reason))
        if is_limit(reason):
            return LIMIT.format(reason.sqlstate), "database"
        return "The database refused a page. What was saved before stays.", "database"
    log.error("run %s attempt %s failed", attempt.run_id, attempt.number, exc_info=reason)
    return UNEXPECTED, "unexpected"
