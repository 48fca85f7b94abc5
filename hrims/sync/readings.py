"""Readings of a listing: all its pages, or some, are asked for at the same time until each is saved.

A run reads everything once; where the sum does not add up it reads the edges between pages, where
records hide that moved meanwhile, or everything again.
"""

import asyncio
import functools
import logging
from collections.abc import Iterable
from random import Random

from hrims.db import AsyncPool
from hrims.errors import (
    RemoteError,
    RemoteGarbled,
    RemoteShort,
)
from hrims.jobs.attempts.store import Attempt
from hrims.rejects import store as rejects
from hrims.steady import patiently
from hrims.sync import availability, pages, store
from hrims.sync.ask_page import Seen, ask_page
from hrims.sync.crew import Saving, work_off
from hrims.sync.list_end.closing import Closing
from hrims.sync.list_end.end import End, ask_end, read_behind
from hrims.sync.page_fit.fit import PageFit, PageSizeFound, page_size, restart_pass
from hrims.sync.page_fit.restarts import Restarts
from hrims.sync.pages import Asked
from hrims.sync.plan import Ask, Plan
from hrims.sync.repeats.resolve import resolve
from hrims.sync.spans import Coverage, Span
from hrims.sync.store import EDGES, FIRST
from hrims.sync.work import Reader

EDGE = 10
"""Records on either side of an edge between two pages that are read again."""

GLANCE = 2
"""Records on either side of an edge that show whether anybody slipped over it: if one is a reject, it has no
name, and the other has.
"""

MAX_RESTARTS = 3
"""Times that one pass starts again with another page size."""

MAX_GROWTHS = 4
"""Times that one pass goes on because the list has grown when all of it was read."""

log = logging.getLogger(__name__)


async def read(
    reader: Reader,
    reading: int,
    skip: Iterable[tuple[int, int]] = (),
    *,
    and_total: bool = True,
    known_total: int | None = None,
) -> int | None:
    """Read every page that is not saved yet in this reading, but for the positions in ``skip``.

    ``known_total`` is the remote's latest total, if it is newer than the saved one. A whole reading starts
    again when its pages show that HRIMS gives another page size. Return the remote's total after the last
    answer, None where it is not wanted. Raises RemoteError when the attempt cannot go on, Fenced, or
    Stopping.
    """
    is_whole = reading != EDGES and reader.attempt.kind != "rejected"
    restarts = Restarts(await page_size(reader))
    for _ in range(MAX_RESTARTS if is_whole else 0):
        fit = PageFit(reader, reading, restarts.size)
        try:
            return await _read(reader, reading, skip, known_total, and_total=and_total, fit=fit)
        except PageSizeFound as found:
            # While the pages of the pass are there, they show which changes are those of another person.
            await resolve(reader.attempt, reader.pool, [reading])
            restarts.add(found)
            await restart_pass(reader, reading, found)
    return await _read(reader, reading, skip, known_total, and_total=and_total)


class _Pass:
    """One pass over a list: its plan, and what is done with each page of it."""

    def __init__(self, reader: Reader, reading: int, plan: Plan, fit: PageFit | None, seen: Seen) -> None:
        self._reader, self._reading, self._plan, self._fit, self._seen = reader, reading, plan, fit, seen
        self._chance = Random()  # noqa: S311 - jitter
        # More at a time save no faster, and each first use of another connection costs Postgres much.
        self._saving = asyncio.Semaphore(reader.settings.max_in_flight)
        self._closing = Closing(self._ask_end)
        self._and_total = True

    async def read_pages(self) -> None:
        """Read every page of the plan, without asking for the total."""
        self._and_total = False
        await self._work_off()

    async def read_all(self) -> int:
        """Read every page of the plan, and by what the list has grown. Return the latest total."""
        try:
            for _ in range(MAX_GROWTHS):
                await self._work_off()
                total = await self._latest_total()
                if total <= (self._plan.total or 0):
                    break
                self._plan.learn_total(total)
            return total
        finally:
            await self._closing.give_up()

    async def _latest_total(self) -> int:
        end = await self._closing.end() or await self._ask_end()
        if self._reading == EDGES or end.total > (self._plan.total or 0):
            return end.total
        return await read_behind(self._reader, self._reading, end)

    async def _ask_end(self) -> End:
        return await ask_end(self._reader, self._plan.size, self._plan.total or 0)

    async def _work_off(self) -> None:
        await work_off(self._plan, self._fetch, self._reader.is_stopping)

    async def _fetch(self, ask: Ask) -> Saving | None:
        self._closing.page_asked()
        try:
            asked = await ask_page(self._reader, ask.span, self._seen, self._reading)
        except RemoteError as trouble:
            await self._failed(ask, trouble)
            return None
        self._plan.received(ask, asked.page.total)
        self._closing.page_answered(nothing_left=self._and_total and self._plan.nothing_left)
        return functools.partial(self._save, ask, asked)

    async def _save(self, ask: Ask, asked: Asked) -> None:
        async with self._saving:
            people = await pages.save(self._reader.attempt, asked, self._reader.pool, reading=self._reading)
        self._plan.answered(ask, len(asked.page.records), asked.page.total)
        if self._fit:
            await self._fit.add_saved(ask.span, asked, people)

    async def _failed(self, ask: Ask, trouble: RemoteError) -> None:
        reader, plan = self._reader, self._plan
        attempt, pool = reader.attempt, reader.pool
        log.info("run %s page %s of size %s failed (%s)", attempt.run_id, *ask.span[::-1], trouble.code)
        if isinstance(trouble, RemoteGarbled) and (unsaved := max(trouble.had, trouble.total or 0)):
            await pages.note(attempt, _asking_again(ask.span, trouble), pool, unsaved)
        if self._fit:
            self._fit.add_failure(ask.span, trouble)
        if plan.total is None and isinstance(trouble, RemoteShort) and trouble.total is not None:
            # Other pages can be asked for: they show whether this page is short or every page is.
            plan.learn_total(trouble.total)
        if await availability.is_given_up(reader, plan, ask, trouble, self._chance):
            # A record that HRIMS answers with nothing or with other people is not broken: it is missing.
            if not isinstance(trouble, RemoteGarbled):
                await pages.save_broken(attempt, ask.span, plan.total or 0, pool, reading=self._reading)
        else:
            await pages.note(attempt, _asking_again(ask.span, trouble), pool)


async def _read(
    reader: Reader,
    reading: int,
    skip: Iterable[tuple[int, int]],
    known_total: int | None,
    *,
    and_total: bool,
    fit: PageFit | None = None,
) -> int | None:
    """Read one pass from its saved pages on; see ``read``."""
    settings = reader.settings
    saved, total = await patiently(lambda: _saved(reader.pool, reader.attempt, reading))
    if saved and fit:
        await fit.resume()
    plan = Plan(
        page_size=await page_size(reader),
        tries=settings.page_tries,
        first_pause=settings.page_pause,
        at_once=settings.max_in_flight,
        saved=[*((one.start, one.stop) for one in saved), *skip],
        total=known_total or total,
    )
    seen = {one.fingerprint: one.start for one in saved if one.fingerprint}
    reading_pass = _Pass(reader, reading, plan, fit, seen)
    if and_total:
        return await reading_pass.read_all()
    await reading_pass.read_pages()
    return None


async def is_read(reader: Reader, reading: int, skip: Iterable[tuple[int, int]]) -> bool:
    """Return whether every position of the list but those in ``skip`` is saved in this reading."""
    saved, total = await patiently(lambda: _saved(reader.pool, reader.attempt, reading))
    covered = Coverage([*((one.start, one.stop) for one in saved), *skip])
    return not any(covered.gaps(total or 0))


async def total_now(reader: Reader) -> int:
    """Return the remote's total as it is now. Raises RemoteError after as many tries as a page has."""
    _, total = await patiently(lambda: _saved(reader.pool, reader.attempt, FIRST))
    return (await ask_end(reader, await page_size(reader), total or 0)).total


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


async def _saved(pool: AsyncPool, attempt: Attempt, reading: int) -> tuple[list[store.SavedPage], int | None]:
    async with pool.connection() as conn:
        return await store.saved_pages(conn, attempt, reading)


async def _broken(pool: AsyncPool, attempt: Attempt) -> list[int]:
    async with pool.connection() as conn:
        return await rejects.broken_positions(conn, attempt.run_id, FIRST)


def _asking_again(span: Span, trouble: RemoteError) -> str:
    return f"Records {span.start + 1:,} to {span.stop:,}: {trouble} Asking again."
