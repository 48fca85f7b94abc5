"""Verifies repeats, one record at a time.

Input: a saved pass. Output: how many records really list a person again.
"""

import asyncio
from collections.abc import Coroutine, Sequence

from hrims.employees.digest import extract_identity
from hrims.log import get_logger
from hrims.resilience import retry_on_disconnect
from hrims.sync.context import SyncContext
from hrims.sync.repeats import store
from hrims.sync.repeats.decision import Record
from hrims.sync.single import fetch_identity
from hrims.sync.spans import Span

MAX_SHARE = 0.01
"""The maximum share of repeats in the list. More repeats show that the pages are wrong, and not that people
are listed twice.
"""

log = get_logger(__name__)


def may_verify(repeats: int, total: int) -> bool:
    """Return whether so many repeats can be people who are listed twice."""
    return 0 < repeats <= total * MAX_SHARE


async def verify(context: SyncContext, reading: int, total: int) -> int:
    """Return how many records of a pass HRIMS lists again at another position of ``total``.

    Request every position of every repeated person alone, and count the further ones that hold the same
    person. A position that cannot be fetched proves nothing. Raises RemoteError if HRIMS refuses the request.
    """

    async def find() -> dict[int, list[Record]]:
        async with context.pool.connection() as conn:
            return await store.find_repeats(conn, context.attempt, reading)

    repeats = await retry_on_disconnect(find)
    # A waiting request polls Postgres for a slot. Let no more wait than can be in flight.
    limit = asyncio.Semaphore(context.settings.max_in_flight)
    counts = await _gather([_count_further(context, records, total, limit) for records in repeats.values()])
    log.info("repeats_verified", people=len(repeats), listed_again=sum(counts))
    return sum(counts)


async def _gather(work: list[Coroutine[None, None, int]]) -> list[int]:
    """Return all results. If one fails, cancel the rest."""
    tasks = [asyncio.ensure_future(task) for task in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _count_further(
    context: SyncContext, records: Sequence[Record], total: int, limit: asyncio.Semaphore
) -> int:
    """Return at how many positions beyond the first the person of these records is listed."""
    async with limit:
        found = [
            await fetch_identity(context, Span(1, record.place), total=total)
            == extract_identity(record.digest)
            for record in records
        ]
    return max(0, sum(found) - 1)
