"""The end of a list: its total, and what HRIMS gives behind it. A reading comes in, the latest total goes
out.
"""

import itertools
import logging
from random import Random
from typing import NamedTuple

from hrims.errors import RemoteBadRequest, RemoteCredentials, RemoteError, RemoteRepeated, RemoteUnknown
from hrims.remote.pace import pause
from hrims.steady import patiently
from hrims.sync import availability, pages, store
from hrims.sync.ask_page import Seen, ask_page
from hrims.sync.crew import sleep
from hrims.sync.pages import Asked
from hrims.sync.spans import Span
from hrims.sync.work import Reader

TRIES_BEHIND = 2
"""Requests for the page behind the end before the total is asked for with a page that was answered before."""

MAX_PAGES_BEHIND = 100
"""Pages behind the total that one pass reads one after another."""

log = logging.getLogger(__name__)


class End(NamedTuple):
    """What HRIMS says of the end of a list, after its last page."""

    total: int
    is_seen: bool = False
    """Whether HRIMS answered the page behind the end. If not, a full last page may not be the last."""
    is_open: bool = False
    """Whether it gave records there, although its total says that there are none."""


async def ask_end(reader: Reader, page_size: int, total: int) -> End:
    """Ask for the page behind a list of ``total`` records: it tells the total, and whether it is true.

    Where HRIMS does not answer that page, the total comes with another. Raises RemoteError after as many
    tries as a page has.
    """
    attempt = reader.attempt
    behind = Span(page_size, -(-total // page_size))
    # A page that was had before is a page that can be had: the first record may be a broken one.
    known = await patiently(lambda: availability.cheapest_pages(reader.pool, attempt))
    spans = [behind] * TRIES_BEHIND + known
    for tries in itertools.count(1):
        span = spans[(tries - 1) % len(spans)]
        try:
            async with reader.slots.one():
                page = await reader.remote.page(
                    attempt.identifier_type, attempt.identifier, span.number, span.size
                )
        except RemoteError as trouble:
            if span is behind and not trouble.again and not isinstance(trouble, RemoteCredentials):
                spans = known
                continue
            await _pause_after(reader, trouble, tries)
        else:
            is_open = bool(page.records) and page.total <= span.start
            return End(page.total, span is behind, span is behind and is_open)
    raise AssertionError("unreachable")


async def read_behind(reader: Reader, reading: int, seen: Seen, end: End, page_size: int) -> int:
    """Read on behind a list that goes on behind its total. Return the latest total.

    A full last page is followed too, unless the page behind it was seen: its total may be that of the page.
    Raises RemoteError when the page behind it cannot be had: that is no proof that it is empty.
    """
    total = end.total
    span = Span(page_size, -(-total // page_size)) if end.is_open else None
    if not end.is_seen:
        last = await patiently(lambda: _full_last_page(reader, reading, total))
        span = Span(last.size, last.number + 1) if last else None
    for number in range(MAX_PAGES_BEHIND if span else 0):
        assert span is not None
        asked = await _ask_behind(reader, reading, seen, Span(span.size, span.number + number))
        if asked is None or not asked.page.records:
            break
        log.warning("people_behind_end run=%s total=%s", reader.attempt.run_id, end.total)
        await pages.save(reader.attempt, asked, reader.pool, reading=reading)
        total = max(total, asked.page.total)
    return total


async def _ask_behind(reader: Reader, reading: int, seen: Seen, span: Span) -> Asked | None:
    """Ask for a page behind the end; None when HRIMS has no such page, or repeats another one."""
    for tries in itertools.count(1):
        try:
            return await ask_page(reader, span, seen, reading)
        except (RemoteRepeated, RemoteBadRequest, RemoteUnknown):
            return None
        except RemoteError as trouble:
            await _pause_after(reader, trouble, tries)
    raise AssertionError("unreachable")


async def _pause_after(reader: Reader, trouble: RemoteError, tries: int) -> None:
    """Wait before a question of this pass is asked again; raise the error when it was asked often enough."""
    settings = reader.settings
    if not trouble.again or tries >= 2 * settings.page_tries:
        raise trouble
    wait = pause(tries, settings.page_pause, trouble.retry_after, Random())  # noqa: S311 - jitter
    await sleep(wait, reader.is_stopping)


async def _full_last_page(reader: Reader, reading: int, total: int) -> Span | None:
    async with reader.pool.connection() as conn:
        page = await store.full_last_page(conn, reader.attempt, reading, total)
    return Span(*page) if page else None
