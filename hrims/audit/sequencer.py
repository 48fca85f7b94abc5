"""Chains committed audit records. Input: records that are not chained yet. Output: their places in the chain.

Every worker and every web process runs it. One at a time chains; the others return at once.
"""

from typing import Final

from hrims.audit import store
from hrims.config import Settings
from hrims.db import AsyncPool, Connection
from hrims.resilience import run_periodically

PERIOD_SECONDS: Final = 1.0
"""Seconds between two rounds: for about so long a record is not chained."""

BATCH_SIZE: Final = 500
"""Records chained in one transaction."""


async def run_sequencer(pool: AsyncPool, _settings: Settings) -> None:
    """Chain new records periodically until cancelled. Survives outages of the database."""
    await run_periodically("audit_sequencer", PERIOD_SECONDS, lambda: chain_all_async(pool))


async def chain_all_async(pool: AsyncPool) -> None:
    """Chain all committed records, in one transaction a batch."""
    count = BATCH_SIZE
    while count == BATCH_SIZE:
        async with pool.connection() as conn:
            count = await store.chain_records_async(conn, BATCH_SIZE)


def chain_all(conn: Connection) -> None:
    """Chain all committed records like ``chain_all_async``. The connection is in no transaction."""
    count = BATCH_SIZE
    while count == BATCH_SIZE:
        with conn.transaction():
            count = store.chain_records(conn, BATCH_SIZE)
