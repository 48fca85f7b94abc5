"""Background tasks of a worker end with it; who cancels the worker meanwhile is heeded."""

import asyncio
from typing import Any

import pytest

from hrims.jobs.workers.background import run_with_tasks
from tests.unit.slow_to_cancel import SlowToCancel


class Idle:
    """A worker of Procrastinate that has no jobs."""

    def __init__(self) -> None:
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        await self._stopped.wait()

    def stop(self) -> None:
        self._stopped.set()


async def _beat() -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize("is_cancelled", [False, True])
async def test_a_worker_waits_for_its_tasks_and_heeds_a_cancellation(is_cancelled: bool) -> None:
    worker: Any = Idle()
    slow = SlowToCancel()
    beating, task = asyncio.create_task(_beat()), asyncio.create_task(slow.run())
    working = asyncio.create_task(run_with_tasks(worker, [beating, task]))
    await asyncio.wait_for(slow.begun.wait(), 60)
    worker.stop()
    await asyncio.wait_for(slow.cancelled.wait(), 60)
    if is_cancelled:
        working.cancel()
    await asyncio.sleep(0)
    assert not working.done()
    slow.may_end.set()
    await asyncio.wait({working}, timeout=60)
    assert slow.ended
    assert working.cancelled() is is_cancelled
    assert not beating.done(), "its owner cancels it"
    beating.cancel()
