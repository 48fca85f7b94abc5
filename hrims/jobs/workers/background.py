"""A worker and its background tasks: they run together, and end together."""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any

from procrastinate.worker import Worker

from hrims.errors import BackgroundTaskEnded
from hrims.steady import cancel_all

log = logging.getLogger(__name__)


async def run_with(worker: Worker, tasks: Sequence["asyncio.Task[Any]"]) -> None:
    """Run a worker until it ends, then cancel ``tasks``. The first task is cancelled by its owner.

    Raises BackgroundTaskEnded when a task ends before: the worker hands its runs back first.
    """
    running = asyncio.create_task(worker.run())  # type: ignore[no-untyped-call] # untyped in Procrastinate
    try:
        await _first_of(running, tasks)
        if not running.done():
            worker.stop()  # type: ignore[no-untyped-call] # the same
        await running
        ended = [task for task in tasks if task.done()]
    finally:
        await cancel_all(task for task in tasks[1:] if not task.done())
    if ended:
        raise BackgroundTaskEnded(
            "A background task of the worker has ended; the log says which. What was saved stays. "
            "The worker ends, and is to be started again."
        ) from _error_of(ended[0])


async def _first_of(running: "asyncio.Task[Any]", tasks: Sequence["asyncio.Task[Any]"]) -> None:
    try:
        await asyncio.wait({running, *tasks}, return_when=asyncio.FIRST_COMPLETED)
    except asyncio.CancelledError:
        running.cancel()
        await running
        raise
    for task in tasks:
        if task.done():
            log.error(
                "a background task of the worker has ended: %s", task.get_name(), exc_info=_error_of(task)
            )


def _error_of(task: "asyncio.Task[Any]") -> BaseException | None:
    return None if task.cancelled() else task.exception()
