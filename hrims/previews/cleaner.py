"""Empties previews that were applied, discarded or are too old.

Deletes their employees in small batches, each in its own transaction.
"""

from functools import partial

from hrims.config import Settings
from hrims.db import AsyncConnection, AsyncPool, Connection
from hrims.jobs.cleaner.task import delete_in_batches
from hrims.log import get_logger
from hrims.previews import store

BATCH_SIZE = 1000
"""Employees that one transaction deletes."""

log = get_logger(__name__)


async def delete_expired_previews(pool: AsyncPool, settings: Settings) -> int:
    """Empty previews that ended ``preview_days`` days ago. Delete the employees of all emptied previews.

    Return the number of deleted employees.
    """

    async def empty_one(conn: AsyncConnection) -> int:
        return int(await store.empty_expired(conn, settings.preview_days))

    if emptied := await delete_in_batches(pool, "previews", empty_one):
        log.info("previews_expired", previews=emptied, days=settings.preview_days)
    delete_people = partial(store.delete_emptied_people, limit=BATCH_SIZE)
    return await delete_in_batches(pool, "preview_people", delete_people)


def delete_people(conn: Connection, run_id: int) -> None:
    """Delete the employees of an emptied preview."""
    more = True
    while more:
        with conn.transaction():
            more = store.delete_people(conn, run_id, BATCH_SIZE) > 0
