"""Requests pages concurrently.

Input: a scheduler. Output: every page of it requested and saved. Some pages are saved while others are
requested.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from hrims.jobs.attempts.attempt import ShutdownRequested
from hrims.resilience import cancel_all
from hrims.sync.page_scheduler import PageRequest, PageScheduler

STOP_CHECK_SECONDS = 0.5
"""Maximum seconds between two checks whether the worker should stop."""


Saving = Callable[[], Awaitable[None]]
"""The remaining work on a page that HRIMS returned."""


async def run_fetches(
    scheduler: PageScheduler,
    fetch: Callable[[PageRequest], Awaitable[Saving | None]],
    is_stopping: Callable[[], bool],
) -> None:
    """Request and save all pages of a scheduler, as many at the same time as it allows, in any order.

    ``fetch`` and the function that it returns report the result of their page to the scheduler. An error that
    they raise ends this function: it cancels the pages in flight; saved pages stay saved. Raises
    ShutdownRequested if the worker is asked to stop, once the pages in flight are saved.
    """
    running: set[asyncio.Task[Saving | None]] = set()
    try:
        while True:
            stopping = is_stopping()
            step = scheduler.next_request(time.monotonic()) if not stopping else 0.0
            if isinstance(step, PageRequest):
                running.add(asyncio.create_task(_fetch(fetch, step)))
                continue
            if not running and stopping:
                raise ShutdownRequested
            if step is None:
                if not running:
                    return
                # A running task is still classifying a failure, and may schedule more pages.
                step = STOP_CHECK_SECONDS
            for done in await _first_done(
                running, min(step, STOP_CHECK_SECONDS) if not stopping else STOP_CHECK_SECONDS
            ):
                running.remove(done)
                if saving := done.result():
                    running.add(asyncio.create_task(_save(saving)))
    finally:
        await cancel_all(running)


async def sleep(seconds: float, is_stopping: Callable[[], bool]) -> None:
    """Sleep. Raises ShutdownRequested soon after the worker is asked to stop."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if is_stopping():
            raise ShutdownRequested
        await asyncio.sleep(min(left, STOP_CHECK_SECONDS))


async def _fetch(
    fetch: Callable[[PageRequest], Awaitable[Saving | None]], request: PageRequest
) -> Saving | None:
    return await fetch(request)


async def _save(saving: Saving) -> None:
    await saving()


async def _first_done(
    running: set[asyncio.Task[Saving | None]], seconds: float
) -> set[asyncio.Task[Saving | None]]:
    if not running:
        await asyncio.sleep(seconds)
        return set()
    done, _ = await asyncio.wait(running, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    return done
