"""One attempt: a run's number comes in; how the attempt ended is written down and told to the queue.

The work itself is given as a function, so that this room knows nothing of pages or people.
"""

import asyncio
import logging
import os
import platform
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from random import Random

import psycopg

from hrims.config import Settings
from hrims.db import AsyncPool, patiently
from hrims.errors import Fenced, HrimsSyncError, RemoteDown
from hrims.jobs import store
from hrims.jobs.retry import GivenUp, TryAgain, next_attempt
from hrims.jobs.store import Attempt

UNEXPECTED = (
    "Something went wrong inside HRIMS Sync. What was saved stays. "
    "Tell whoever runs HRIMS Sync; the log has the details."
)

log = logging.getLogger(__name__)


class Stopping(Exception):
    """The worker was asked to stop, and the work is at a moment at which it can be handed back."""


async def carry_out(
    pool: AsyncPool,
    settings: Settings,
    run_id: int,
    job_id: int,
    work: Callable[[Attempt], Awaitable[None]],
) -> None:
    """Carries ``work`` out under a new fence number, if this job still has a say in the run.

    ``work`` ends the run itself, in the transaction that counts it, or raises Stopping. Raises
    TryAgain when another attempt is to follow, GivenUp when the run has failed: the queue goes by these.
    """
    attempt = await patiently(lambda: _begin(pool, run_id, job_id))
    if attempt is None:
        log.info("run %s needs no attempt from job %s", run_id, job_id)
        return
    log.info("run %s attempt %s begins", run_id, attempt.number)
    try:
        await work(attempt)
    except Fenced as reason:
        log.warning("run %s attempt %s: %s", run_id, attempt.number, reason)
    except (asyncio.CancelledError, Stopping):
        await _hand_back(pool, attempt)
    except RemoteDown as reason:
        await _wait_for_remote(pool, attempt, reason)
    except Exception as reason:  # noqa: BLE001 - whatever it was, the run must say how it stands
        await _failed(pool, settings, attempt, reason)


async def _begin(pool: AsyncPool, run_id: int, job_id: int) -> Attempt | None:
    async with pool.connection() as conn:
        return await store.begin(conn, run_id, job_id, platform.node(), os.getpid())


async def _hand_back(pool: AsyncPool, attempt: Attempt) -> None:
    # Either the run was cancelled (then it is no longer active and stays so) or the worker stops.
    async def write() -> bool:
        async with pool.connection() as conn:
            return await store.hand_back(conn, attempt)

    if await patiently(write):
        log.info("run %s attempt %s: handed back", attempt.run_id, attempt.number)
        raise TryAgain(datetime.now(UTC))


async def _wait_for_remote(pool: AsyncPool, attempt: Attempt, reason: RemoteDown) -> None:
    async def write() -> bool:
        async with pool.connection() as conn:
            return await store.wait_for_remote(conn, attempt, reason.until, str(reason), reason.code)

    if await patiently(write):
        log.info("run %s attempt %s: waits for HRIMS", attempt.run_id, attempt.number)
        raise TryAgain(reason.until)


async def _failed(pool: AsyncPool, settings: Settings, attempt: Attempt, reason: Exception) -> None:
    words, code = _words(attempt, reason)
    final = isinstance(reason, HrimsSyncError) and not reason.again
    failures = settings.attempts if final else attempt.failures + 1
    at = next_attempt(
        failures,
        settings.attempts,
        settings.attempt_pause,
        datetime.now(UTC),
        Random(),  # noqa: S311 - jitter
    )

    async def write() -> bool:
        async with pool.connection() as conn:
            if at:
                return await store.delay(conn, attempt, at, words, code)
            return await store.fail(conn, attempt, words, code)

    if await patiently(write):
        raise TryAgain(at) if at else GivenUp(words)


def _words(attempt: Attempt, reason: Exception) -> tuple[str, str]:
    if isinstance(reason, HrimsSyncError):
        log.warning("run %s attempt %s failed: %s", attempt.run_id, attempt.number, reason)
        return str(reason), reason.code
    if isinstance(reason, psycopg.Error):
        log.error("run %s attempt %s: %s", attempt.run_id, attempt.number, type(reason).__name__)
        return "The database refused a page. What was saved before stays.", "database"
    log.error("run %s attempt %s failed", attempt.run_id, attempt.number, exc_info=reason)
    return UNEXPECTED, "unexpected"
