"""Ends requests that were not decided in time, and deletes the encrypted credentials in them."""

from functools import partial
from typing import Final

from hrims.approvals import store
from hrims.config import Settings
from hrims.db import AsyncPool
from hrims.jobs.cleaner.task import delete_in_batches

BATCH_SIZE: Final = 500
"""Requests that one transaction ends."""


async def delete_expired_requests(pool: AsyncPool, _settings: Settings) -> None:
    """End the requests that were not decided in time. The rows stay, without credentials."""
    await delete_in_batches(pool, "requests", partial(store.expire, batch_size=BATCH_SIZE))
