"""Empties previews that were applied, thrown away or are too old: people of previews are deleted in small
batches, each a transaction of its own.
"""

import logging

from hrims.config import Settings
from hrims.db import AsyncPool, Connection
from hrims.previews import store
from hrims.steady import for_ever

BATCH = 1000
"""People deleted in one transaction."""

LOOK = 12
"""Beats of a worker between two looks."""

log = logging.getLogger(__name__)


async def keep_empty(pool: AsyncPool, settings: Settings) -> None:
    """Looks for what to empty for ever; a database that is away is waited for."""
    await for_ever("empty previews", LOOK * settings.beat_seconds, lambda: sweep(pool, settings.preview_days))


async def sweep(pool: AsyncPool, days: int) -> int:
    """Gives up previews that ended more than ``days`` days ago, and deletes the people of all that were
    given up; returns how many people.
    """
    while await _empty_one(pool, days):
        log.info("a preview older than %s days was emptied", days)
    deleted = 0
    while some := await _delete_some(pool):
        deleted += some
    return deleted


async def _empty_one(pool: AsyncPool, days: int) -> bool:
    async with pool.connection() as conn:
        return await store.empty_too_old(conn, days)


async def _delete_some(pool: AsyncPool) -> int:
    async with pool.connection() as conn:
        return await store.delete_left_over(conn, BATCH)


def delete_people(conn: Connection, run_id: int) -> None:
    """Deletes the people of a preview that was given up."""
    more = True
    while more:
        with conn.transaction():
            more = store.delete_some(conn, run_id, BATCH) > 0
