"""Checks, at the end of a run, whether a page size that was found still applies.

Input: the run. Output: whether later runs use that size.
"""

import contextlib

from hrims.errors import RemoteError, RemoteLong
from hrims.log import get_logger
from hrims.resilience import retry_on_disconnect
from hrims.sync.context import SyncContext
from hrims.sync.page_fit import store
from hrims.sync.page_fit.fit import page_size
from hrims.sync.single import fetch_identity, identity_at
from hrims.sync.spans import Span
from hrims.sync.store import check_attempt

log = get_logger(__name__)


async def use_known_size(context: SyncContext) -> None:
    """Let the run use the page size that an earlier run found."""

    async def write() -> None:
        async with context.pool.connection() as conn:
            await check_attempt(conn, context.attempt)
            await store.use_known_size(conn, context.attempt, context.remote.base_url)

    await retry_on_disconnect(write)


async def is_size_confirmed(context: SyncContext, total: int) -> bool:
    """Return whether HRIMS still returns wrong pages for the requested page size.

    If HRIMS returns the right pages, delete the size that was found: a temporary fault would slow down every
    later run.
    """
    if await page_size(context) == context.attempt.page_size:
        return False
    fits: bool | None = None
    with contextlib.suppress(RemoteError):
        fits = await _fits(context, context.attempt.page_size, total)
    if fits:
        log.warning("page_size_forgotten", size=context.attempt.page_size)
        await retry_on_disconnect(lambda: _delete_known_size(context))
    return fits is False


async def _fits(context: SyncContext, size: int, total: int) -> bool | None:
    """Return whether pages of this size hold the records that belong there.

    Return None if that cannot be determined, as for a list of one page.
    """
    if total <= size:
        return None
    second = Span(size, 1)
    try:
        pages = [await context.request(span) for span in (Span(size, 0), second)]
    except RemoteLong:
        return False
    if [len(page.records) for page in pages] != [size, min(size, total - size)]:
        return False
    first, alone = identity_at(pages[1], 0), await fetch_identity(context, Span(1, second.start))
    return None if first is None or alone is None else first == alone


async def _delete_known_size(context: SyncContext) -> None:
    async with context.pool.connection() as conn:
        await check_attempt(conn, context.attempt)
        await store.delete_page_size(conn, context.attempt, context.remote.base_url)
