"""Whether a page size that was found still holds, at the end of a run: the run comes in; whether later runs
should use it goes out.
"""

import contextlib
import logging

from hrims.errors import RemoteError, RemoteLong
from hrims.steady import patiently
from hrims.sync.page_fit import store
from hrims.sync.page_fit.fit import page_size
from hrims.sync.single import fetch_identity, identity_at
from hrims.sync.spans import Span
from hrims.sync.store import check_fence
from hrims.sync.work import Reader

log = logging.getLogger(__name__)


async def use_known_size(reader: Reader) -> None:
    """Let the run use the page size that an earlier run found."""

    async def write() -> None:
        async with reader.pool.connection() as conn:
            await check_fence(conn, reader.attempt)
            await store.use_known_size(conn, reader.attempt, reader.remote.address)

    await patiently(write)


async def is_size_confirmed(reader: Reader, total: int) -> bool:
    """Return whether HRIMS still answers the requested page size wrongly; if it answers it right, forget what
    was found. A passing fault would slow down every later run.
    """
    if await page_size(reader) == reader.attempt.page_size:
        return False
    fits: bool | None = None
    with contextlib.suppress(RemoteError):
        fits = await _fits(reader, reader.attempt.page_size, total)
    if fits:
        log.warning("page_size_forgotten run=%s size=%s", reader.attempt.run_id, reader.attempt.page_size)
        await patiently(lambda: _forget(reader))
    return fits is False


async def _fits(reader: Reader, size: int, total: int) -> bool | None:
    """Return whether HRIMS answers pages of this size with the records that belong there; None where that
    cannot be told, as from a list of one page.
    """
    if total <= size:
        return None
    second = Span(size, 1)
    try:
        pages = [await reader.request(span) for span in (Span(size, 0), second)]
    except RemoteLong:
        return False
    if [len(page.records) for page in pages] != [size, min(size, total - size)]:
        return False
    first, alone = identity_at(pages[1], 0), await fetch_identity(reader, Span(1, second.start))
    return None if first is None or alone is None else first == alone


async def _forget(reader: Reader) -> None:
    async with reader.pool.connection() as conn:
        await check_fence(conn, reader.attempt)
        await store.forget_page_size(conn, reader.attempt, reader.remote.address)
