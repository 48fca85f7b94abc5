"""The crew ends when its plan is done, and not while somebody still works out what a failure means."""

import asyncio
from random import Random

from hrims.errors import RemoteUnreachable
from hrims.sync.crew import work_off
from hrims.sync.plan import Ask, Plan


async def test_what_is_asked_for_after_a_long_thought_is_asked_for() -> None:
    plan = Plan(page_size=2, tries=1, first_pause=0.0, at_once=4, total=2)
    asked: list[int] = []

    async def fetch(ask: Ask) -> None:
        asked.append(ask.span.size)
        if ask.span.size == 1:
            plan.answered(ask, 1, 2)
            return
        broken = RemoteUnreachable("it broke off")
        try:
            plan.failed(ask, broken, 0.0, Random(1))
        except RemoteUnreachable:
            await asyncio.sleep(0)  # the plan is empty just now, and the crew looks at it
            await asyncio.sleep(0)
            plan.split(ask.span, broken, 0.0)

    await work_off(plan, fetch, lambda: False)
    assert asked == [2, 1, 1]
