"""A worker and its background tasks. They run together and end together."""

import asyncio
from collections.abc import Sequence
from typing import Any

from procrastinate.worker import Worker

from hrims.errors import BackgroundTaskEnded
from hrims.log import get_logger
from hrims.resilience import cancel_all

log = get_logger(__name__)


async def run_with_tasks(worker: Worker, tasks: Sequence["asyncio.Task[Any]"]) -> None:
    """Run a worker until it ends, then cancel ``tasks``, except the first, which its owner cancels.

    Raises BackgroundTaskEnded if a task ends before the worker. The worker hands its runs back first.
    """
    worker_task = asyncio.create_task(worker.run())  # type: ignore[no-untyped-call] # untyped in Procrastinate
    try:
        await _wait_for_first(worker_task, tasks)
        if not worker_task.done():
            worker.stop()  # type: ignore[no-untyped-call] # the same
        await worker_task
        ended_tasks = [task for task in tasks if task.done()]
    finally:
        await cancel_all(task for task in tasks[1:] if not task.done())
    if ended_tasks:
        raise BackgroundTaskEnded(
            "A background task of the worker has ended; the log says which. What was saved stays. "
            "The worker ends, and is to be started again."
        ) from _get_error(ended_tasks[0])


async def _wait_for_first(worker_task: "asyncio.Task[Any]", tasks: Sequence["asyncio.Task[Any]"]) -> None:
    try:
        await asyncio.wait({worker_task, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        worker_task.cancel()
        await worker_task
        raise
    for task in tasks:
        if task.done():
            log.error("background_task_ended", task=task.get_name(), exc_info=_get_error(task))


def _get_error(task: "asyncio.Task[Any]") -> BaseException | None:
    return None if task.cancelled() else task.exception()
