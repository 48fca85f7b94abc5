"""The end of a list: its total, and what HRIMS gives behind it. A reading comes in, the latest total goes
out.
"""

import logging
from typing import NamedTuple

from hrims.employees.digest import identity_of, record_digest
from hrims.errors import RemoteBadRequest, RemoteContradictory, RemoteError, RemoteOtherPage, RemoteUnknown
from hrims.remote.wire import Page
from hrims.steady import patiently
from hrims.sync import availability, pages
from hrims.sync.list_end import store
from hrims.sync.pages import Asked, Shaped
from hrims.sync.retry import Retry
from hrims.sync.single import fetch_identity
from hrims.sync.spans import Span
from hrims.sync.work import Reader

NO_SUCH_PAGE = (RemoteBadRequest, RemoteUnknown, RemoteOtherPage)
"""How HRIMS says that a list has no further page; another page in its place proves nothing."""

TRIES_BEHIND = 2
"""Requests for the page behind the end before the total is asked for with a page that was answered before."""

MAX_PAGES_BEHIND = 100
"""Pages behind the total that one pass reads one after another."""

log = logging.getLogger(__name__)


class End(NamedTuple):
    """What HRIMS says of the end of a list, after its last page."""

    total: int
    behind: Page | None = None
    """The page behind the end, if HRIMS answered it; without records also if it has no such page."""
    is_other_page: bool = False
    """Whether HRIMS answered with another page, and says so: the list may go on behind it."""
    other_records: int = 0
    """Records of that other page."""


async def ask_end(reader: Reader, page_size: int, total: int) -> End:
    """Ask for the page behind a list of ``total`` records: it tells the total, and whether it is true.

    Where HRIMS does not answer that page, the total comes with another. Raises RemoteError after as many
    tries as a page has.
    """
    retry = Retry(reader, 2 * reader.settings.page_tries)
    behind = Span(page_size, max(1, -(-total // page_size)))
    # A page that was had before is a page that can be had: the first record may be a broken one.
    known = await patiently(lambda: availability.cheapest_pages(reader.pool, reader.attempt))
    # Of a list of one full page, or of none, the total may be that of the page: nothing else would show it.
    spans = [behind] * (reader.settings.page_tries if total in {0, page_size} else TRIES_BEHIND)
    # That a list is empty is shown by nothing else at all.
    spans += known if total else []
    there: Page | None = None
    is_other_page, other_records = False, 0
    while True:
        span = spans[retry.failures % len(spans)]
        try:
            page = await reader.request(span)
        except RemoteError as trouble:
            if span is behind and isinstance(trouble, NO_SUCH_PAGE):
                there, spans = Page(span.number, span.size, total, []), known
                if isinstance(trouble, RemoteOtherPage):
                    is_other_page, other_records = True, trouble.had
                continue
            if isinstance(trouble, RemoteContradictory):
                spans = [span]
            if not retry.may_repeat(trouble):
                raise
            await retry.pause(trouble)
        else:
            return End(page.total, page if span is behind else there, is_other_page, other_records)


async def read_behind(reader: Reader, reading: int, end: End) -> int:
    """Save what HRIMS gives behind the total of a list, page after page. Return the latest total.

    Stop at a page that holds only records of the list: HRIMS repeats its last page. That the page behind a
    list of one full page is empty is saved as well: without it the total may be that of the page.
    """
    page, total = end.behind, end.total
    if total == 0 and end.other_records:
        words = "HRIMS sent records of a list that it calls empty."
        await pages.note(reader.attempt, words, reader.pool, end.other_records)
    if page is None or page.total > page.start:
        return total
    for _ in range(MAX_PAGES_BEHIND):
        shaped = pages.shape(page)
        if not await _is_new(reader, reading, shaped):
            break
        log.warning("people_behind_end run=%s total=%s", reader.attempt.run_id, end.total)
        await pages.save(reader.attempt, Asked(page, 0, shaped), reader.pool, reading=reading)
        total = max(total, page.total)
        page = await _ask_behind(reader, Span(page.size, page.number + 1))
        if page is None:
            return total
    is_other_page = end.is_other_page and page is end.behind
    if page.start == end.total == page.size and await _is_last(reader, reading, page, is_other_page):
        empty = Page(page.number, page.size, end.total, [])
        await pages.save(reader.attempt, Asked(empty, 0, pages.shape(empty)), reader.pool, reading=reading)
    return total


async def _is_last(reader: Reader, reading: int, page: Page, is_other_page: bool) -> bool:
    """Return whether the only page of a list holds its last record, where HRIMS repeats that page behind it.

    A server that gives the same page for every number repeats it too: then the record at the last position,
    asked for alone, is another one. If it says that it is another page, its records are not known: then HRIMS
    must have no record behind the page either.
    """
    if is_other_page:
        if await _has_record(reader, page.start):
            return False
    elif not page.records:
        return True

    async def load() -> int | None:
        async with reader.pool.connection() as conn:
            return await store.last_digest(conn, reader.attempt, reading)

    last = await patiently(load)
    return last is not None and await fetch_identity(reader, Span(1, page.start - 1)) == identity_of(last)


async def _has_record(reader: Reader, position: int) -> bool:
    """Return whether HRIMS gives a record at this position alone; also if it does not answer."""
    retry = Retry(reader)
    while True:
        try:
            return bool((await reader.request(Span(1, position))).records)
        except NO_SUCH_PAGE:
            return False
        except RemoteError as trouble:
            if not retry.may_repeat(trouble):
                return True
            await retry.pause(trouble)


async def _is_new(reader: Reader, reading: int, shaped: Shaped) -> bool:
    """Return whether a page holds a record that this reading has not saved. Rejects cannot be told apart:
    a page of rejects alone is new unless the last page is one as well.
    """
    digests = [record_digest(row) for _, row in shaped.rows]

    async def look() -> bool:
        async with reader.pool.connection() as conn:
            if not digests:
                return await store.last_page_has_people(conn, reader.attempt, reading)
            return await store.count_digests(conn, reader.attempt, reading, digests) < len(digests)

    return bool(shaped.records) and await patiently(look)


async def _ask_behind(reader: Reader, span: Span) -> Page | None:
    """Ask for a page behind the end; None when HRIMS has no such page, or does not give it."""
    retry = Retry(reader)
    while True:
        try:
            return await reader.request(span)
        except RemoteError as trouble:
            if not retry.may_repeat(trouble):
                return None
            await retry.pause(trouble)
