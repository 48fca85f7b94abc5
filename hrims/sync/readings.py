"""Readings of a listing: all its pages, or some, are asked for at the same time until each is saved.

A run reads everything once; where the sum does not add up it reads the edges between pages, where
records hide that moved meanwhile, or everything again.
"""

import asyncio
import functools
import itertools
import logging
from collections.abc import Callable, Iterable
from random import Random
from typing import NamedTuple

from hrims.config import Settings
from hrims.db import AsyncPool
from hrims.drift.tally import lacks_key
from hrims.errors import RemoteDrifted, RemoteError, RemoteGarbled
from hrims.jobs.attempts.store import Attempt
from hrims.limits.slots import Slots
from hrims.rejects import store as rejects
from hrims.remote.client import Remote
from hrims.remote.pace import pause
from hrims.steady import patiently
from hrims.sync import availability, pages, store
from hrims.sync.closing import Closing
from hrims.sync.crew import Saving, sleep, work_off
from hrims.sync.pages import Asked
from hrims.sync.plan import Ask, Plan
from hrims.sync.spans import Coverage, Span
from hrims.sync.store import FIRST

EDGE = 10
"""Records on either side of an edge between two pages that are read again."""

GLANCE = 2
"""Records on either side of an edge that show whether anybody slipped over it: if one is a reject, it has no
name, and the other has.
"""

FEW_NEIGHBOURS = 10
"""Records of a page below which nobody's having the key is no sign, once others in this run had it."""

DRIFTED = (
    "HRIMS sent a page on which no record has the field zanIdNumber, by which people are known. HRIMS has "
    "probably renamed or moved it. Nothing of that page was saved. Tell whoever runs HRIMS Sync."
)

log = logging.getLogger(__name__)


class Reader(NamedTuple):
    """What a reading needs: the attempt's Work, and places at the remote."""

    attempt: Attempt
    remote: Remote
    pool: AsyncPool
    settings: Settings
    is_stopping: Callable[[], bool]
    slots: Slots


async def read(
    reader: Reader, reading: int, skip: Iterable[tuple[int, int]] = (), *, and_total: bool = True
) -> int | None:
    """Reads every page that is not saved yet in this reading, but for the positions in ``skip``.

    Returns the remote's total after the last answer, None where it has to be asked for or is not wanted.
    Raises RemoteError when the attempt cannot go on, Fenced, or Stopping.
    """
    attempt, pool, settings = reader.attempt, reader.pool, reader.settings
    saved, total = await patiently(lambda: _saved(pool, attempt, reading))
    chance = Random()  # noqa: S311 - jitter
    plan = Plan(
        page_size=attempt.page_size,
        tries=settings.page_tries,
        first_pause=settings.page_pause,
        at_once=settings.max_in_flight,
        saved=[*((one.start, one.stop) for one in saved), *skip],
        total=total,
    )
    seen = {one.fingerprint: one.start for one in saved if one.fingerprint}

    # More at a time save no faster, and each first use of another connection costs Postgres much.
    saving = asyncio.Semaphore(settings.max_in_flight)
    closing = Closing(lambda: total_now(reader))

    async def fetch(ask: Ask) -> Saving | None:
        closing.page_asked()
        try:
            asked = await _ask(reader, ask.span, seen, reading)
        except RemoteError as trouble:
            await failed(ask, trouble)
            return None
        plan.received(ask, asked.page.total)
        closing.page_answered(nothing_left=and_total and plan.nothing_left)
        return functools.partial(save, ask, asked)

    async def save(ask: Ask, asked: Asked) -> None:
        async with saving:
            await pages.save(attempt, asked, pool, reading=reading)
        plan.answered(ask, len(asked.page.records), asked.page.total)

    async def failed(ask: Ask, trouble: RemoteError) -> None:
        log.info("run %s page %s of size %s failed (%s)", attempt.run_id, *ask.span[::-1], trouble.code)
        if await availability.is_given_up(reader, plan, ask, trouble, chance):
            # A record that HRIMS answers with nothing or with other people is not broken: it is missing.
            if not isinstance(trouble, RemoteGarbled):
                await pages.save_broken(attempt, ask.span, plan.total or 0, pool, reading=reading)
        else:
            await pages.note(attempt, _asking_again(ask.span, trouble), pool)

    try:
        await work_off(plan, fetch, reader.is_stopping)
        return await closing.total()
    finally:
        await closing.give_up()


async def total_now(reader: Reader) -> int:
    """The remote's total as it is now. Raises RemoteError after as many tries as a page has."""
    pool, attempt, settings = reader.pool, reader.attempt, reader.settings
    # A page that was had before is a page that can be had: the first record may be a broken one.
    spans = await patiently(lambda: availability.cheapest_pages(pool, attempt))
    for tries in itertools.count(1):
        span = spans[(tries - 1) % len(spans)]
        try:
            async with reader.slots.one():
                page = await reader.remote.page(
                    attempt.identifier_type, attempt.identifier, span.number, span.size
                )
        except RemoteError as trouble:
            if not trouble.again or tries >= 2 * settings.page_tries:
                raise
            wait = pause(tries, settings.page_pause, trouble.retry_after, Random())  # noqa: S311 - jitter
            await sleep(wait, reader.is_stopping)
        else:
            return page.total
    raise AssertionError("unreachable")


async def begun(reader: Reader) -> set[int]:
    """The readings of which pages are saved."""

    async def look() -> set[int]:
        async with reader.pool.connection() as conn:
            return await store.readings(conn, reader.attempt)

    return await patiently(look)


async def took_long(reader: Reader) -> bool:
    """Whether the listing was read for so long that people may have gone and come meanwhile."""

    async def look() -> float:
        async with reader.pool.connection() as conn:
            return await store.seconds_of_reading(conn, reader.attempt)

    return await patiently(look) >= reader.settings.edges_after


async def all_but_edges(reader: Reader, beside: int) -> list[tuple[int, int]]:
    """The positions of the first reading but for a page astride each edge between its pages. Records that are
    known to break HRIMS are left out: their neighbours are requested without them.
    """
    saved, total = await patiently(lambda: _saved(reader.pool, reader.attempt, FIRST))
    edges = [one.stop for one in saved if one.stop < (total or 0)]
    astride = [Span.astride(edge, beside) for edge in edges]
    wanted = Coverage((one.start, one.stop) for one in astride)
    for position in await patiently(lambda: _broken(reader.pool, reader.attempt)):
        wanted.remove(position, position + 1)
    return list(wanted.gaps(total or 0))


async def _ask(reader: Reader, span: Span, seen: dict[bytes, int], reading: int) -> Asked:
    async with reader.slots.one():
        asked = await pages.ask(reader.remote, reader.attempt, span)
    # A few who have no ZanID can be neighbours; where others have one, HRIMS has not renamed it. A run that
    # asks again for the rejected reads little else than such neighbours.
    has_met_keys = bool(seen) or reading != FIRST
    few = has_met_keys and len(asked.page.records) < FEW_NEIGHBOURS
    if lacks_key(asked.page) and not few and reader.attempt.kind != "rejected":
        raise RemoteDrifted(DRIFTED)
    digest = asked.shaped.fingerprint
    if digest is not None and seen.setdefault(digest, span.start) != span.start:
        raise RemoteGarbled("HRIMS answered with a page that it had sent under another number.")
    return asked


async def _saved(pool: AsyncPool, attempt: Attempt, reading: int) -> tuple[list[store.SavedPage], int | None]:
    async with pool.connection() as conn:
        return await store.saved_pages(conn, attempt, reading)


async def _broken(pool: AsyncPool, attempt: Attempt) -> list[int]:
    async with pool.connection() as conn:
        return await rejects.broken_positions(conn, attempt.run_id, FIRST)


def _asking_again(span: Span, trouble: RemoteError) -> str:
    return f"Records {span.start + 1:,} to {span.stop:,}: {trouble} Asking again."
