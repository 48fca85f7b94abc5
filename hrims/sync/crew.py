"""Asks for pages at the same time: a plan comes in, every page of it is asked for and saved; while some are
being saved, others are asked for.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable

from hrims.jobs.attempts.attempt import Stopping
from hrims.steady import cancel_all
from hrims.sync.plan import Ask, Plan

LOOK_UP = 0.5
"""Seconds at most between two looks whether the worker is asked to stop."""


Saving = Callable[[], Awaitable[None]]
"""What is left to do with a page that was answered."""


async def work_off(
    plan: Plan, fetch: Callable[[Ask], Awaitable[Saving | None]], is_stopping: Callable[[], bool]
) -> None:
    """Works a plan off, as many pages at a time as it allows; each saves by itself, in any order.

    ``fetch`` and what it returns tell the plan what became of its page. Whatever they raise ends the
    work: pages in flight are given up, what is saved stays. Raises Stopping when the worker is asked to
    stop, after the pages in flight are saved.
    """
    running: set[asyncio.Task[Saving | None]] = set()
    try:
        while True:
            stopping = is_stopping()
            step = plan.take(time.monotonic()) if not stopping else 0.0
            if isinstance(step, Ask):
                running.add(asyncio.create_task(_fetch(fetch, step)))
                continue
            if not running and stopping:
                raise Stopping
            if step is None:
                if not running:
                    return
                # Somebody is still working out what a failure means, and may ask for more.
                step = LOOK_UP
            for done in await _first_done(running, min(step, LOOK_UP) if not stopping else LOOK_UP):
                running.remove(done)
                if saving := done.result():
                    running.add(asyncio.create_task(_save(saving)))
    finally:
        await cancel_all(running)


async def sleep(seconds: float, is_stopping: Callable[[], bool]) -> None:
    """Sleeps; raises Stopping soon after the worker is asked to stop."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        if is_stopping():
            raise Stopping
        await asyncio.sleep(min(left, LOOK_UP))


async def _fetch(fetch: Callable[[Ask], Awaitable[Saving | None]], ask: Ask) -> Saving | None:
    return await fetch(ask)


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
