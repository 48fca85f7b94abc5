"""The background task that deletes expired data.

It runs in every worker, but only one deletes rows of a kind at a time. Each small batch is a separate
transaction, so that other transactions do not wait long.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final

import psycopg

from hrims.access.request_limits.store import delete_old
from hrims.config import Settings
from hrims.db import AsyncConnection, AsyncPool
from hrims.jobs.cleaner import store
from hrims.jobs.workers import store as workers
from hrims.resilience import run_and_log_failure, run_periodically

JOB_BATCH: Final = 500
"""Jobs deleted in one transaction."""

SEARCH_BATCH: Final = 1000
"""Expired searches for people deleted in one transaction."""

PAGE_BATCH: Final = 200
"""Pages of a run deleted in one transaction."""

CASE_BATCH: Final = 500
"""Closed cases whose personal data is erased in one transaction."""

PERIOD_HEARTBEATS: Final = 12
"""Heartbeat intervals between two rounds."""

WORKER_DAYS: Final = 7
"""Days for which a dead or ended worker stays on the list."""

BATCH_PAUSE: Final = 0.05
"""Seconds between two batches, to leave the database to other work."""


Deletion = Callable[[AsyncPool, Settings], Awaitable[object]]
"""A function ``delete_expired_…`` that deletes one kind of expired data, in small batches."""


DeleteBatch = Callable[[AsyncConnection], Awaitable[int]]
"""Deletes one batch in a transaction. Returns how many rows, 0 if none is left."""


async def run_cleaner(deletions: Sequence[Deletion], pool: AsyncPool, settings: Settings) -> None:
    """Run the deletions periodically until cancelled. Survives outages of the database."""
    await run_periodically(
        "cleaner",
        PERIOD_HEARTBEATS * settings.beat_seconds,
        lambda: delete_expired(deletions, pool, settings),
    )


async def delete_expired(deletions: Sequence[Deletion], pool: AsyncPool, settings: Settings) -> None:
    """Run each deletion once. One that fails does not stop the others."""
    for delete in deletions:
        await run_and_log_failure(delete.__name__, partial(delete, pool, settings))


async def delete_in_batches(pool: AsyncPool, kind: str, delete_batch: DeleteBatch) -> int:
    """Delete batches, one transaction each, until one is empty. Return how many rows were deleted.

    Stop if another worker deletes rows of this kind: that worker then continues until none is left.
    """
    total = 0
    while count := await _delete_batch(pool, kind, delete_batch):
        total += count
        await asyncio.sleep(BATCH_PAUSE)
    return total


async def _delete_batch(pool: AsyncPool, kind: str, delete_batch: DeleteBatch) -> int:
    async with pool.connection() as conn:
        return await delete_batch(conn) if await store.try_lock(conn, kind) else 0


async def delete_expired_searches(pool: AsyncPool, _settings: Settings) -> None:
    """Delete the expired searches for people."""
    await delete_in_batches(pool, "searches", partial(store.delete_searches, batch_size=SEARCH_BATCH))


async def delete_old_request_counts(pool: AsyncPool, _settings: Settings) -> None:
    """Delete the counts of requests of earlier minutes."""
    await delete_in_batches(pool, "request_counts", lambda conn: delete_old(conn, SEARCH_BATCH))


async def delete_expired_jobs(pool: AsyncPool, settings: Settings) -> None:
    """Delete the queue jobs that ended long ago."""
    hours, days = settings.keep_finished_hours, settings.keep_failed_days
    await delete_in_batches(pool, "jobs", lambda conn: store.delete_jobs(conn, JOB_BATCH, hours, days))


async def delete_expired_reject_people(pool: AsyncPool, settings: Settings) -> None:
    """Erase the personal data of reject cases that were closed long ago."""
    days = settings.keep_details_days
    await delete_in_batches(
        pool, "reject_people", lambda conn: store.erase_reject_people(conn, CASE_BATCH, days)
    )


async def delete_expired_run_details(pool: AsyncPool, settings: Settings) -> None:
    """Delete the pages, rejects and logs of runs that ended long ago."""
    days = settings.keep_details_days
    await delete_in_batches(pool, "run_details", lambda conn: _delete_run_details(conn, days))


async def _delete_run_details(conn: AsyncConnection, days: int) -> int:
    run_id = await store.find_marked(conn)
    if run_id is None:
        return int(await store.mark_expired_run(conn, days))
    await store.delete_details(conn, run_id, PAGE_BATCH)
    return 1


async def delete_expired_workers(pool: AsyncPool, _settings: Settings) -> None:
    """Delete the workers that ended or died long ago, and the open breakers that no live worker uses."""
    # Not in the heartbeat: a locked row would stop the heartbeats of all workers at the same time. Here the
    # rows stay until the next round.
    with contextlib.suppress(psycopg.errors.LockNotAvailable):
        async with pool.connection() as conn:
            if await store.try_lock(conn, "workers"):
                await store.set_lock_timeout(conn)
                await workers.delete_expired_workers(conn, WORKER_DAYS)
