"""Takes runs from workers that died: stalled jobs come in, runs that go on from their checkpoint go out.

It runs beside the worker and is not a job, so that it needs no worker to be alive in the queue.
"""

import asyncio
import logging

import psycopg

from hrims.config import Settings
from hrims.db import AsyncPool
from hrims.jobs import store

MOST_RESCUES = 3

WORDS = (
    "Its worker died three times. What was saved stays; try it again, "
    "and tell whoever runs HRIMS Sync if it happens once more."
)

log = logging.getLogger(__name__)


async def keep_watch(pool: AsyncPool, settings: Settings) -> None:
    """Looks for stalled jobs for ever, once every beat; a database that is away is waited for."""
    while True:
        try:
            await rescue_stalled(pool, settings.silent_seconds)
        except (psycopg.Error, OSError) as reason:
            log.warning("cannot look for stalled runs just now: %s", type(reason).__name__)
        await asyncio.sleep(settings.beat_seconds)


async def rescue_stalled(pool: AsyncPool, silent_seconds: float) -> int:
    """Rescues every stalled job, each in its own transaction; returns how many."""
    async with pool.connection() as conn:
        found = await store.stalled(conn, silent_seconds)
    rescued = 0
    for job_id in found:
        async with pool.connection() as conn:
            became = await store.rescue(conn, job_id, silent_seconds, MOST_RESCUES, WORDS)
        if became:
            rescued += 1
            log.warning("job %s had lost its worker; its run is %s", job_id, became)
    return rescued
