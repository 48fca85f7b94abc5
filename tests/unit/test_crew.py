"""The crew ends when its plan is done, and not while somebody still works out what a failure means."""

import asyncio
from random import Random

import pytest

from hrims.errors import RemoteUnreachable
from hrims.sync.crew import Saving, work_off
from hrims.sync.plan import Ask, Plan
from hrims.sync.spans import Span
from tests.unit.stubborn import Stubborn


async def test_what_is_split_after_a_long_thought_is_asked_for() -> None:
    plan = Plan(page_size=2, tries=1, first_pause=0.0, at_once=4, total=4)
    thinking, answered, looked = asyncio.Event(), asyncio.Event(), asyncio.Event()
    asked: list[Span] = []

    def is_stopping() -> bool:
        if answered.is_set():
            looked.set()  # the crew looks at a plan in which nothing is left just now
        return False

    async def fetch(ask: Ask) -> None:
        asked.append(ask.span)
        if ask.span != Span(2, 0):
            if ask.span == Span(2, 1):
                await thinking.wait()
            plan.answered(ask, ask.span.size, 4)
            answered.set()
            return
        broken = RemoteUnreachable("it broke off")
        try:
            plan.failed(ask, broken, 0.0, Random(1))
        except RemoteUnreachable:
            thinking.set()
            await looked.wait()
            await asyncio.sleep(0)
            plan.split(ask, broken, 0.0)

    await work_off(plan, fetch, is_stopping)
    assert asked == [Span(2, 0), Span(2, 1), Span(1, 0), Span(1, 1)]


async def test_a_cancellation_while_pages_in_flight_are_given_up_is_heeded() -> None:
    """A page of HRIMS failed; the attempt is to be handed back, not to fail, when the worker stops."""
    plan = Plan(page_size=2, tries=1, first_pause=0.0, at_once=4, total=4)
    save = Stubborn()

    async def fetch(ask: Ask) -> Saving | None:
        if ask.span == Span(2, 0):
            await save.begun.wait()
            raise RemoteUnreachable("it broke off")
        return save.run

    working = asyncio.create_task(work_off(plan, fetch, lambda: False))
    await asyncio.wait_for(save.cancelled.wait(), 60)
    working.cancel()
    await asyncio.sleep(0)
    assert not working.done(), "it waits for what is being saved"
    save.may_end.set()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(working, 60)
    assert save.ended
