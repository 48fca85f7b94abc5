"""Verifies repeats one record at a time: a saved reading comes in, how many people are really listed twice
goes out.
"""

import asyncio
import logging
from collections.abc import Coroutine, Sequence

from hrims.employees.digest import identity_of
from hrims.steady import patiently
from hrims.sync.repeats import store
from hrims.sync.repeats.decision import Record
from hrims.sync.single import fetch_identity
from hrims.sync.spans import Span
from hrims.sync.work import Reader

MAX_SHARE = 0.01
"""Share of the list that may be repeats; above it they say that the pages are wrong, not that people are
listed twice.
"""

log = logging.getLogger(__name__)


def may_verify(repeats: int, total: int) -> bool:
    """Return whether so many repeats can be people who are listed twice."""
    return 0 < repeats <= total * MAX_SHARE


async def verify(reader: Reader, reading: int, total: int) -> int:
    """Return how many records of a reading HRIMS lists again at another position of ``total``.

    Ask for every position of every repeated person alone, and count the further ones that hold the same
    person. A position that cannot be had proves nothing. Raises RemoteError when HRIMS refuses the request.
    """

    async def find() -> dict[int, list[Record]]:
        async with reader.pool.connection() as conn:
            return await store.find_repeats(conn, reader.attempt, reading)

    repeats = await patiently(find)
    # A waiting request asks Postgres for a slot again and again: no more wait than can be in flight.
    limit = asyncio.Semaphore(reader.settings.max_in_flight)
    counts = await _gather([_count_further(reader, records, total, limit) for records in repeats.values()])
    log.info(
        "repeats_verified run=%s people=%s listed_again=%s", reader.attempt.run_id, len(repeats), sum(counts)
    )
    return sum(counts)


async def _gather(work: list[Coroutine[None, None, int]]) -> list[int]:
    """Return all results; end the rest when one fails."""
    tasks = [asyncio.ensure_future(one) for one in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _count_further(
    reader: Reader, records: Sequence[Record], total: int, limit: asyncio.Semaphore
) -> int:
    """Return at how many positions beyond the first the person of these records stands."""
    async with limit:
        found = [
            await fetch_identity(reader, Span(1, record.place), total=total) == identity_of(record.digest)
            for record in records
        ]
    return max(0, sum(found) - 1)
