"""The end of a list: its total, and what HRIMS returns after it. Input: a pass. Output: the latest total."""

from typing import NamedTuple

from hrims.employees.digest import compute_digest, extract_identity
from hrims.errors import RemoteBadRequest, RemoteContradictory, RemoteError, RemoteOtherPage, RemoteUnknown
from hrims.log import get_logger
from hrims.remote.wire import Page
from hrims.resilience import retry_on_disconnect
from hrims.sync import availability, pages
from hrims.sync.context import SyncContext
from hrims.sync.list_end import store
from hrims.sync.pages import FetchedPage, MappedPage
from hrims.sync.retry import Retry
from hrims.sync.single import fetch_identity
from hrims.sync.spans import Span

NO_SUCH_PAGE = (RemoteBadRequest, RemoteUnknown, RemoteOtherPage)
"""How HRIMS reports that a list has no further page. Another page in its place proves nothing."""

TRIES_BEHIND = 2
"""Requests for the page after the end, before the total is taken from a page that HRIMS returned before."""

MAX_PAGES_BEHIND = 100
"""Pages after the total that one pass reads, one after another."""

log = get_logger(__name__)


class End(NamedTuple):
    """HRIMS' responses about the end of a list, after its last page."""

    total: int
    behind: Page | None = None
    """The page after the end, if HRIMS returned it. It has no records if HRIMS reports that there is no such
    page.
    """
    is_other_page: bool = False
    """Whether HRIMS returned another page under that page's own number: the list may continue after it."""
    other_records: int = 0
    """The number of records of that other page."""


async def fetch_end(context: SyncContext, page_size: int, total: int) -> End:
    """Request the page after a list of ``total`` records. It shows the total, and whether the total is true.

    If HRIMS does not return that page, take the total from another page. Raises RemoteError after twice as
    many tries as a page has.
    """
    retry = Retry(context, 2 * context.settings.page_tries)
    behind = Span(page_size, max(1, -(-total // page_size)))
    # Pages that HRIMS returned before can be fetched. The first record of the list may be broken.
    known = await retry_on_disconnect(lambda: availability.cheapest_pages(context.pool, context.attempt))
    # If the list has one full page or none, the total may be that of the page. Only the page after it shows
    # this.
    spans = [behind] * (context.settings.page_tries if total in {0, page_size} else TRIES_BEHIND)
    # Nothing else shows that an empty list is empty.
    spans += known if total else []
    there: Page | None = None
    is_other_page, other_records = False, 0
    while True:
        span = spans[retry.failures % len(spans)]
        try:
            page = await context.request(span)
        except RemoteError as error:
            if span is behind and isinstance(error, NO_SUCH_PAGE):
                there, spans = Page(span.number, span.size, total, []), known
                if isinstance(error, RemoteOtherPage):
                    is_other_page, other_records = True, error.had
                continue
            if isinstance(error, RemoteContradictory):
                spans = [span]
            if not retry.may_repeat(error):
                raise
            await retry.pause(error)
        else:
            return End(page.total, page if span is behind else there, is_other_page, other_records)


async def read_behind(context: SyncContext, reading: int, end: End) -> int:
    """Save what HRIMS returns after the total of a list, page by page. Return the latest total.

    Stop at a page that holds only records of the list: HRIMS repeats its last page. An empty page after a
    list of one full page is saved as well: without it, the total may be that of the page.
    """
    page, total = end.behind, end.total
    if total == 0 and end.other_records:
        message = "HRIMS sent records of a list that it calls empty."
        await pages.note(context.attempt, message, context.pool, end.other_records)
    if page is None or page.total > page.start:
        return total
    for _ in range(MAX_PAGES_BEHIND):
        mapped = pages.map_page(page)
        if not await _is_new(context, reading, mapped):
            break
        log.warning("people_behind_end", total=end.total)
        await pages.save(context.attempt, FetchedPage(page, 0, mapped), context.pool, reading=reading)
        total = max(total, page.total)
        page = await _fetch_behind(context, Span(page.size, page.number + 1))
        if page is None:
            return total
    is_other_page = end.is_other_page and page is end.behind
    if page.start == end.total == page.size and await _is_last(context, reading, page, is_other_page):
        empty = Page(page.number, page.size, end.total, [])
        await pages.save(
            context.attempt, FetchedPage(empty, 0, pages.map_page(empty)), context.pool, reading=reading
        )
    return total


async def _is_last(context: SyncContext, reading: int, page: Page, is_other_page: bool) -> bool:
    """Return whether the only page of a list holds its last record, if HRIMS repeats that page after it.

    A server that returns the same page for every number repeats it too. Then the record at the last position,
    requested alone, is a different one. If HRIMS labels its response as another page, the records of that
    page are unknown. Then HRIMS must also have no record after the only page.
    """
    if is_other_page:
        if await _has_record(context, page.start):
            return False
    elif not page.records:
        return True

    async def load() -> int | None:
        async with context.pool.connection() as conn:
            return await store.last_digest(conn, context.attempt, reading)

    last = await retry_on_disconnect(load)
    return last is not None and await fetch_identity(context, Span(1, page.start - 1)) == extract_identity(
        last
    )


async def _has_record(context: SyncContext, position: int) -> bool:
    """Return whether HRIMS returns a record at this position alone; True also if it does not respond."""
    retry = Retry(context)
    while True:
        try:
            return bool((await context.request(Span(1, position))).records)
        except NO_SUCH_PAGE:
            return False
        except RemoteError as error:
            if not retry.may_repeat(error):
                return True
            await retry.pause(error)


async def _is_new(context: SyncContext, reading: int, mapped: MappedPage) -> bool:
    """Return whether a page holds a record that this pass has not saved.

    Rejects cannot be told apart: a page of rejects alone is new unless the last page is one as well.
    """
    digests = [compute_digest(row) for _, row in mapped.rows]

    async def load() -> bool:
        async with context.pool.connection() as conn:
            if not digests:
                return await store.last_page_has_people(conn, context.attempt, reading)
            return await store.count_digests(conn, context.attempt, reading, digests) < len(digests)

    return bool(mapped.records) and await retry_on_disconnect(load)


async def _fetch_behind(context: SyncContext, span: Span) -> Page | None:
    """Request a page after the end. Return None if HRIMS has no such page, or does not return it."""
    retry = Retry(context)
    while True:
        try:
            return await context.request(span)
        except RemoteError as error:
            if not retry.may_repeat(error):
                return None
            await retry.pause(error)
