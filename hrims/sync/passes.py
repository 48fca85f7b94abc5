"""Passes over a list: all its pages, or some, are requested at the same time until each is saved.

A run reads the whole list once. If the counts do not match the total, it reads the edges between pages again,
because records that moved meanwhile are there. Otherwise it reads the whole list again.
"""

import asyncio
import functools
from collections.abc import Iterable
from random import Random

from structlog.contextvars import bind_contextvars

from hrims.errors import (
    RemoteError,
    RemoteGarbled,
    RemoteShort,
)
from hrims.log import get_logger
from hrims.rejects import store as rejects
from hrims.resilience import retry_on_disconnect
from hrims.sync import availability, pages, store
from hrims.sync.context import SyncContext
from hrims.sync.fetch_page import Seen, fetch_page
from hrims.sync.fetcher import Saving, run_fetches
from hrims.sync.list_end.end import End, fetch_end, read_behind
from hrims.sync.list_end.final_total import FinalTotalProbe
from hrims.sync.page_fit.fit import PageFit, PageSizeFound, page_size, restart_pass
from hrims.sync.page_fit.restarts import Restarts
from hrims.sync.page_scheduler import PageRequest, PageScheduler
from hrims.sync.pages import FetchedPage
from hrims.sync.repeats.resolve import resolve
from hrims.sync.spans import Coverage, Span
from hrims.sync.store import EDGES, FIRST

REPAIR_EDGE_SIZE = 10
"""Records on either side of an edge between two pages that are read again."""

VERIFY_EDGE_SIZE = 2
"""Records on either side of an edge that show whether a record moved across it. Two, because one may be a
reject, which has no identity; then the other has one.
"""

MAX_RESTARTS = 3
"""Maximum number of times that one pass restarts with another page size."""

MAX_GROWTHS = 4
"""Maximum number of rounds of one pass. A further round reads the pages by which the list has grown."""

log = get_logger(__name__)


async def read_list(
    context: SyncContext,
    reading: int,
    skip: Iterable[tuple[int, int]] = (),
    known_total: int | None = None,
) -> int:
    """Read every page that is not saved yet in this pass, also those by which the list grows meanwhile.

    Do not read the positions in ``skip``. ``known_total`` is HRIMS' latest total, if it is newer than the
    saved one. A pass over the whole list starts again if its pages show that HRIMS gives another page size,
    at most MAX_RESTARTS times. Return HRIMS' total after the last response. Raises RemoteError if the attempt
    cannot continue, StaleAttempt, or ShutdownRequested.
    """
    restarts = Restarts(await page_size(context))
    for _ in range(MAX_RESTARTS if reading != EDGES else 0):
        fit = PageFit(context, reading, restarts.size)
        try:
            return await (await _start_pass(context, reading, skip, known_total, fit)).read_to_end()
        except PageSizeFound as found:
            # Resolve before the pages are deleted: they show which changes belong to another person.
            await resolve(context.attempt, context.pool, [reading])
            restarts.add(found)
            await restart_pass(context, reading, found)
    return await (await _start_pass(context, reading, skip, known_total)).read_to_end()


async def read_part(context: SyncContext, reading: int, skip: Iterable[tuple[int, int]]) -> None:
    """Read every page that is not saved yet in this pass, except for the positions in ``skip``.

    Raises the errors of ``read_list``.
    """
    await (await _start_pass(context, reading, skip)).read_pages()


class _Pass:
    """One pass over a list: its scheduler, and the handling of each page."""

    def __init__(
        self, context: SyncContext, reading: int, scheduler: PageScheduler, fit: PageFit | None, seen: Seen
    ) -> None:
        self._context, self._reading, self._scheduler = context, reading, scheduler
        self._fit, self._seen = fit, seen
        self._rng = Random()  # noqa: S311 - jitter
        # More concurrent saves are not faster, and the first use of a connection is expensive for Postgres.
        self._saving = asyncio.Semaphore(context.settings.max_in_flight)
        self._final_total = FinalTotalProbe(self._fetch_end)
        self._needs_total = False

    async def read_pages(self) -> None:
        """Read every page, without requesting the total."""
        await run_fetches(self._scheduler, self._fetch, self._context.is_stopping)

    async def read_to_end(self) -> int:
        """Read every page, and the pages by which the list grows meanwhile. Return the latest total."""
        self._needs_total = True
        try:
            for _ in range(MAX_GROWTHS):
                await self.read_pages()
                total = await self._latest_total()
                if total <= (self._scheduler.total or 0):
                    break
                self._scheduler.learn_total(total)
            return total
        finally:
            await self._final_total.cancel()

    async def _latest_total(self) -> int:
        end = await self._final_total.end() or await self._fetch_end()
        if self._reading == EDGES or end.total > (self._scheduler.total or 0):
            return end.total
        return await read_behind(self._context, self._reading, end)

    async def _fetch_end(self) -> End:
        return await fetch_end(self._context, self._scheduler.size, self._scheduler.total or 0)

    async def _fetch(self, request: PageRequest) -> Saving | None:
        # Each page has a task of its own, and so a context of its own.
        bind_contextvars(page=request.span.number)
        self._final_total.page_requested()
        try:
            fetched = await fetch_page(self._context, request.span, self._seen, self._reading)
        except RemoteError as error:
            await self._failed(request, error)
            return None
        self._scheduler.add_response(request, fetched.page.total)
        self._final_total.page_returned(is_exhausted=self._needs_total and self._scheduler.is_exhausted)
        return functools.partial(self._save, request, fetched)

    async def _save(self, request: PageRequest, fetched: FetchedPage) -> None:
        bind_contextvars(page=request.span.number)
        async with self._saving:
            people = await pages.save(
                self._context.attempt, fetched, self._context.pool, reading=self._reading
            )
        self._scheduler.add_saved(request, len(fetched.page.records))
        if self._fit:
            await self._fit.add_saved(request.span, fetched, people)

    async def _failed(self, request: PageRequest, error: RemoteError) -> None:
        context, scheduler = self._context, self._scheduler
        attempt, pool = context.attempt, context.pool
        log.info(
            "page_failed",
            page=request.span.number,
            size=request.span.size,
            failures=request.tries + 1,
            code=error.code,
            status=error.status,
            ms=error.ms,
            retry_after=error.retry_after,
        )
        if isinstance(error, RemoteGarbled) and (unsaved := max(error.had, error.total or 0)):
            await pages.note(attempt, _retry_message(request.span, error), pool, unsaved)
        if self._fit:
            self._fit.add_failure(request.span, error)
        if scheduler.total is None and isinstance(error, RemoteShort) and error.total is not None:
            # With a total, other pages can be requested. They show whether this page is short or every page
            # is.
            scheduler.learn_total(error.total)
        if await availability.handle_failure(context, scheduler, request, error, self._rng):
            # A record is missing rather than broken if HRIMS returns nothing or other people for it.
            if not isinstance(error, RemoteGarbled):
                await pages.save_broken(
                    attempt, request.span, scheduler.total or 0, pool, reading=self._reading
                )
        else:
            await pages.note(attempt, _retry_message(request.span, error), pool)


async def _start_pass(
    context: SyncContext,
    reading: int,
    skip: Iterable[tuple[int, int]],
    known_total: int | None = None,
    fit: PageFit | None = None,
) -> _Pass:
    """Return a pass that continues after its saved pages."""
    settings = context.settings
    saved, total = await _load_saved_pages(context, reading)
    if saved and fit:
        await fit.resume()
    scheduler = PageScheduler(
        page_size=await page_size(context),
        tries=settings.page_tries,
        first_pause=settings.page_pause,
        at_once=settings.max_in_flight,
        saved=[*((page.start, page.stop) for page in saved), *skip],
        total=known_total or total,
    )
    seen = {page.fingerprint: page.start for page in saved if page.fingerprint}
    return _Pass(context, reading, scheduler, fit, seen)


async def is_read(context: SyncContext, reading: int, skip: Iterable[tuple[int, int]]) -> bool:
    """Return whether every position of the list, except for those in ``skip``, is saved in this pass."""
    saved, total = await _load_saved_pages(context, reading)
    covered = Coverage([*((page.start, page.stop) for page in saved), *skip])
    return not any(covered.gaps(total or 0))


async def fetch_total(context: SyncContext) -> int:
    """Return HRIMS' current total. Raises RemoteError after twice as many tries as a page has."""
    _, total = await _load_saved_pages(context, FIRST)
    return (await fetch_end(context, await page_size(context), total or 0)).total


async def started_passes(context: SyncContext) -> set[int]:
    """Return the passes of which pages are saved."""

    async def load() -> set[int]:
        async with context.pool.connection() as conn:
            return await store.readings(conn, context.attempt)

    return await retry_on_disconnect(load)


async def is_long(context: SyncContext) -> bool:
    """Return whether the run read for so long that employees may have left and joined meanwhile."""

    async def load() -> float:
        async with context.pool.connection() as conn:
            return await store.seconds_of_reading(conn, context.attempt)

    return await retry_on_disconnect(load) >= context.settings.edges_after


async def all_but_edges(context: SyncContext, beside: int) -> list[tuple[int, int]]:
    """Return the positions of the first pass, except for a page across each edge between its pages.

    Records that are known to break HRIMS are in the result as well: their neighbours are requested without
    them.
    """
    saved, total = await _load_saved_pages(context, FIRST)
    edges = [page.stop for page in saved if page.stop < (total or 0)]
    astride = [Span.astride(edge, beside) for edge in edges]
    wanted = Coverage((span.start, span.stop) for span in astride)
    for position in await _load_broken_places(context):
        wanted.remove(position, position + 1)
    return list(wanted.gaps(total or 0))


async def _load_saved_pages(context: SyncContext, reading: int) -> tuple[list[store.SavedPage], int | None]:
    async def load() -> tuple[list[store.SavedPage], int | None]:
        async with context.pool.connection() as conn:
            return await store.saved_pages(conn, context.attempt, reading)

    return await retry_on_disconnect(load)


async def _load_broken_places(context: SyncContext) -> list[int]:
    async def load() -> list[int]:
        async with context.pool.connection() as conn:
            return await rejects.list_broken_positions(conn, context.attempt.run_id, FIRST)

    return await retry_on_disconnect(load)


def _retry_message(span: Span, error: RemoteError) -> str:
    first, last = span.start + 1, span.stop
    records = f"Record {first:,}" if first == last else f"Records {first:,} to {last:,}"
    return f"{records}: {error} Requesting again."
