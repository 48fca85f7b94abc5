"""A worker with a background task that fails: ``python -m tests.e2e.flow.broken_worker FILE`` runs it.

The task ends as soon as the file is there. The product has no seam for this.
"""

import asyncio
import sys
from pathlib import Path

from hrims import worker
from hrims.cli import main
from hrims.config import Settings
from hrims.db import AsyncPool
from hrims.jobs import queue

SIGNAL = Path(sys.argv[1])


async def break_at_signal(pool: AsyncPool, settings: Settings) -> None:
    """Fail as a defect in our code does."""
    while not SIGNAL.exists():  # noqa: ASYNC110,ASYNC240 - the test has no other way to tell
        await asyncio.sleep(0.05)
    raise KeyError("a defect")


if __name__ == "__main__":
    queue.app.background_tasks = (*worker.BACKGROUND_TASKS, break_at_signal)
    main(["worker"])
