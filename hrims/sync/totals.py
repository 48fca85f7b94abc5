"""The end of a list: its total, and what HRIMS gives behind it. A reading comes in, the latest total goes
out.
"""

import functools
import itertools
import logging
from random import Random

from hrims.errors import RemoteBadRequest, RemoteError, RemoteRepeated, RemoteUnknown
from hrims.remote.pace import pause
from hrims.steady import patiently
from hrims.sync import availability, pages, store
from hrims.sync.ask_page import Seen, ask_page
from hrims.sync.crew import sleep
from hrims.sync.pages import Asked
from hrims.sync.spans import Span
from hrims.sync.work import Reader

MAX_PAGES_BEHIND = 100
"""Pages behind the total that one pass reads one after another."""

log = logging.getLogger(__name__)


async def read_behind(reader: Reader, reading: int, seen: Seen, total: int) -> int:
    """Read on behind a list that ends with a full page: its total may be that of the page. Return the
    latest total.

    Raises RemoteError when the page behind the end cannot be had: that is no proof that it is empty.
    """
    for _ in range(MAX_PAGES_BEHIND):
        last = await patiently(functools.partial(_full_last_page, reader, reading, total))
        asked = await _ask_behind(reader, reading, seen, last) if last else None
        if asked is None or not asked.page.records:
            break
        log.warning("people_behind_end run=%s total=%s", reader.attempt.run_id, total)
        await pages.save(reader.attempt, asked, reader.pool, reading=reading)
        total = max(total, asked.page.total)
    return total


async def _ask_behind(reader: Reader, reading: int, seen: Seen, last: Span) -> Asked | None:
    """Ask for the page after ``last``; None when HRIMS has no such page, or repeats another one."""
    span = Span(last.size, last.number + 1)
    for tries in itertools.count(1):
        try:
            return await ask_page(reader, span, seen, reading)
        except (RemoteRepeated, RemoteBadRequest, RemoteUnknown):
            return None
        except RemoteError as trouble:
            await _pause_after(reader, trouble, tries)
    raise AssertionError("unreachable")


async def total_now(reader: Reader) -> int:
    """The remote's total as it is now. Raises RemoteError after as many tries as a page has."""
    attempt = reader.attempt
    # A page that was had before is a page that can be had: the first record may be a broken one.
    spans = await patiently(lambda: availability.cheapest_pages(reader.pool, attempt))
    for tries in itertools.count(1):
        span = spans[(tries - 1) % len(spans)]
        try:
            async with reader.slots.one():
                page = await reader.remote.page(
                    attempt.identifier_type, attempt.identifier, span.number, span.size
                )
        except RemoteError as trouble:
            await _pause_after(reader, trouble, tries)
        else:
            return page.total
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
