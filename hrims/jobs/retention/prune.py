"""Deletes what is old, beside every worker and by one of them at a time: in small batches, each a transaction
of its own, so that nobody waits for it.
"""

import asyncio
import contextlib
from typing import Final

import psycopg

from hrims.config import Settings
from hrims.db import AsyncPool
from hrims.jobs.retention import store
from hrims.jobs.workers import store as workers
from hrims.steady import for_ever

JOBS: Final = 500
"""Jobs that are deleted in one transaction."""

SEARCHES: Final = 1000
"""Expired searches for people that are deleted in one transaction."""

PAGES: Final = 200
"""Pages of a run that are deleted in one transaction."""

CASES: Final = 500
"""Closed rejects whose person is deleted in one transaction."""

LOOK: Final = 12
"""Beats of a worker between two looks."""

WORKER_DAYS: Final = 7
"""Days for which a worker that is gone stays on the list."""

BREATH: Final = 0.05
"""Seconds between two batches, in which others have the database."""


async def keep_pruning(pool: AsyncPool, settings: Settings) -> None:
    """Looks for what is old, for ever; a database that is away is waited for."""
    await for_ever("delete what is old", LOOK * settings.beat_seconds, lambda: prune(pool, settings))


async def prune(pool: AsyncPool, settings: Settings) -> None:
    """Delete all that is old by now. Pages come last: of several workers one always gets to them."""
    await _forget_workers(pool)
    while await _some_searches(pool):  # noqa: ASYNC110 - it pauses between batches, and waits for no event
        await asyncio.sleep(BREATH)
    while await _some_jobs(pool, settings):  # noqa: ASYNC110 - it takes a breath, and waits for nobody
        await asyncio.sleep(BREATH)
    while await _some_persons(pool, settings):  # noqa: ASYNC110 - the same
        await asyncio.sleep(BREATH)
    while await _some_pages(pool, settings):  # noqa: ASYNC110 - the same
        await asyncio.sleep(BREATH)


async def _forget_workers(pool: AsyncPool) -> None:
    # Not beside the heartbeat: a row that somebody holds would stop it, in every worker at once. Here the
    # workers stay until the next look.
    with contextlib.suppress(psycopg.errors.LockNotAvailable):
        async with pool.connection() as conn:
            if await store.alone(conn):
                await store.be_impatient(conn)
                await workers.forget(conn, WORKER_DAYS)


async def _some_searches(pool: AsyncPool) -> bool:
    async with pool.connection() as conn:
        return await store.alone(conn) and await store.delete_searches(conn, SEARCHES) > 0


async def _some_persons(pool: AsyncPool, settings: Settings) -> bool:
    async with pool.connection() as conn:
        if not await store.alone(conn):
            return False
        return await store.forget_persons(conn, CASES, settings.keep_details_days) > 0


async def _some_jobs(pool: AsyncPool, settings: Settings) -> bool:
    async with pool.connection() as conn:
        if not await store.alone(conn):
            return False
        gone = await store.delete_jobs(conn, JOBS, settings.keep_finished_hours, settings.keep_failed_days)
    return gone > 0


async def _some_pages(pool: AsyncPool, settings: Settings) -> bool:
    async with pool.connection() as conn:
        if not await store.alone(conn):
            return False
        run_id = await store.find_marked(conn)
        if run_id is None:
            return await store.mark_run(conn, settings.keep_details_days)
        await store.delete_details(conn, run_id, PAGES)
    return True
