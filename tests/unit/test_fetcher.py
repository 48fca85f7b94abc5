"""The fetcher ends when its scheduler is done, and not while a failure is still being classified."""

import asyncio
from random import Random

import pytest

from hrims.errors import RemoteUnreachable
from hrims.jobs.attempts.attempt import ShutdownRequested
from hrims.sync.fetcher import Saving, run_fetches
from hrims.sync.page_scheduler import PageRequest, PageScheduler
from hrims.sync.spans import Span
from tests.unit.slow_to_cancel import SlowToCancel


async def test_a_page_that_is_split_late_is_requested() -> None:
    scheduler = PageScheduler(page_size=2, tries=1, first_pause=0.0, at_once=4, total=4)
    thinking, answered, looked = asyncio.Event(), asyncio.Event(), asyncio.Event()
    requested: list[Span] = []

    def is_stopping() -> bool:
        if answered.is_set():
            looked.set()  # the fetcher sees a scheduler with no page left for the moment
        return False

    async def fetch(request: PageRequest) -> None:
        requested.append(request.span)
        if request.span != Span(2, 0):
            if request.span == Span(2, 1):
                await thinking.wait()
            scheduler.add_response(request, 4)
            scheduler.add_saved(request, request.span.size)
            answered.set()
            return
        broken = RemoteUnreachable("it broke off")
        try:
            scheduler.add_failure(request, broken, 0.0, Random(1))
        except RemoteUnreachable:
            thinking.set()
            await looked.wait()
            await asyncio.sleep(0)
            scheduler.split(request, broken, 0.0)

    await run_fetches(scheduler, fetch, is_stopping)
    assert requested == [Span(2, 0), Span(2, 1), Span(1, 0), Span(1, 1)]


async def test_a_cancellation_while_pages_in_flight_are_abandoned_is_heeded() -> None:
    """A page of HRIMS failed; the attempt is to be handed back, not to fail, when the worker stops."""
    scheduler = PageScheduler(page_size=2, tries=1, first_pause=0.0, at_once=4, total=4)
    save = SlowToCancel()

    async def fetch(request: PageRequest) -> Saving | None:
        if request.span == Span(2, 0):
            await save.begun.wait()
            raise RemoteUnreachable("it broke off")
        return save.run

    working = asyncio.create_task(run_fetches(scheduler, fetch, lambda: False))
    await asyncio.wait_for(save.cancelled.wait(), 60)
    working.cancel()
    await asyncio.sleep(0)
    assert not working.done(), "it waits for what is being saved"
    save.may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(working, 60)
    assert save.ended


async def test_a_worker_that_stops_saves_the_pages_in_flight_and_requests_no_more() -> None:
    scheduler = PageScheduler(page_size=2, tries=1, first_pause=0.0, at_once=2, total=8)
    requested, saved, is_answered = list[Span](), list[Span](), asyncio.Event()

    async def fetch(request: PageRequest) -> Saving:
        requested.append(request.span)
        await is_answered.wait()
        scheduler.add_response(request, 8)

        async def save() -> None:
            saved.append(request.span)
            scheduler.add_saved(request, 2)

        return save

    def is_stopping() -> bool:
        if len(requested) == 2:
            is_answered.set()
        return bool(requested)

    with pytest.raises(ShutdownRequested):
        await asyncio.wait_for(run_fetches(scheduler, fetch, is_stopping), 60)
    assert requested
    assert sorted(saved) == sorted(requested)
    assert len(requested) <= 2
