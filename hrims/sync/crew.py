"""Asks for pages at the same time: a plan comes in, every page of it is asked for and saved."""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Iterable

from hrims.jobs.attempt import Stopping
from hrims.sync.plan import Ask, Plan

LOOK_UP = 0.5
"""Seconds at most between two looks whether the worker is asked to stop."""


async def work_off(
    plan: Plan, fetch_and_save: Callable[[Ask], Awaitable[None]], is_stopping: Callable[[], bool]
) -> None:
    """Works a plan off, as many pages at a time as it allows; each saves by itself, in any order.

    ``fetch_and_save`` tells the plan what became of its page. Whatever it raises ends the work: pages
    in flight are given up, what is saved stays. Raises Stopping when the worker is asked to stop,
    after the pages in flight are saved.
    """
    running: set[asyncio.Task[None]] = set()
    try:
        while True:
            stopping = is_stopping()
            step = plan.take(time.monotonic()) if not stopping else 0.0
            if isinstance(step, Ask):
                running.add(asyncio.create_task(_one(fetch_and_save, step)))
                continue
            if not running and stopping:
                raise Stopping
            if step is None:
                return
            running -= await _first_done(running, min(step, LOOK_UP) if not stopping else LOOK_UP)
    finally:
        await _give_up(running)


async def _one(fetch_and_save: Callable[[Ask], Awaitable[None]], ask: Ask) -> None:
    await fetch_and_save(ask)


async def _first_done(running: set[asyncio.Task[None]], seconds: float) -> set[asyncio.Task[None]]:
    if not running:
        await asyncio.sleep(seconds)
        return set()
    done, _ = await asyncio.wait(running, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    for one in done:
        one.result()
    return done


async def _give_up(running: Iterable[asyncio.Task[None]]) -> None:
    for one in running:
        one.cancel()
    for one in running:
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await one
