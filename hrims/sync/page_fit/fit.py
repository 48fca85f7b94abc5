"""Compares the pages of one pass with the requested page size.

Input: responses. Output: PageSizeFound, if HRIMS gives another size.
"""

from hrims.errors import RemoteError, RemoteLong, RemoteShort
from hrims.log import get_logger
from hrims.resilience import retry_on_disconnect
from hrims.sync import pages
from hrims.sync.context import SyncContext
from hrims.sync.page_fit import store
from hrims.sync.page_fit.evidence import Evidence, MetPeople, is_suspicious
from hrims.sync.pages import FetchedPage
from hrims.sync.single import fetch_identity
from hrims.sync.spans import Span
from hrims.sync.store import check_attempt

MAX_CHECKS = 3
"""Suspicious pages of a pass that are checked with single records. People who move cause some as well."""

ROUNDS = 3
"""Times that a page and the single record at its position must differ in the same way."""

log = get_logger(__name__)


class PageSizeFound(Exception):
    """The finding that HRIMS gives pages of another size than requested: the pass restarts with ``size``."""

    def __init__(self, size: int, message: str, *, is_cap: bool = False) -> None:
        """Create the finding. ``is_cap`` is True if HRIMS gives fewer records a page than requested."""
        super().__init__(message)
        self.size, self.is_cap = size, is_cap


class PageFit:
    """The pages of one pass, compared with what was requested."""

    def __init__(self, context: SyncContext, reading: int, size: int) -> None:
        """Create the comparison. ``size`` is the page size of the pass."""
        self._reader, self._reading, self._size = context, reading, size
        self._evidence = Evidence()
        self._met = MetPeople()
        self._checks = MAX_CHECKS

    async def resume(self) -> None:
        """Load the evidence in the pages that earlier attempts saved."""
        context = self._reader

        async def load() -> tuple[list[int], list[tuple[Span, int]]]:
            async with context.pool.connection() as conn:
                people = await store.saved_people(conn, context.attempt, self._reading)
                return people, await store.full_pages(conn, context.attempt, self._reading)

        people, full_pages = await retry_on_disconnect(load)
        self._met.add(people)
        for span, total in full_pages:
            self._evidence.add_full(span, total)

    def add_failure(self, span: Span, error: RemoteError) -> None:
        """Note a failed page.

        Raises PageSizeFound once its number of records is proven to be HRIMS' page size, unless the pass
        already requests that size.
        """
        if not isinstance(error, RemoteShort | RemoteLong) or not error.had:
            return
        size = self._evidence.add(span, error.had)
        if size and size != self._size:
            if size < span.size:
                raise _cap_found(size)
            raise PageSizeFound(size, f"HRIMS gives {_records(size)} a page.")

    async def add_saved(self, span: Span, fetched: FetchedPage, people: list[int]) -> None:
        """Note a saved page. Raises PageSizeFound if it is not the requested page."""
        records = len(fetched.page.records)
        if records == span.size:
            self._evidence.add_full(span, fetched.page.total)
        met_before = self._met.add(people)
        is_behind_end = records > max(0, fetched.page.total - span.start)
        if self._checks and (is_suspicious(met_before, len(people)) or is_behind_end):
            self._checks -= 1
            await self._check(people)

    async def _check(self, people: list[int]) -> None:
        """Request the pages that share people again, and the first record of each alone."""
        context = self._reader

        async def load() -> list[store.FirstRecord]:
            async with context.pool.connection() as conn:
                return await store.first_records(conn, context.attempt, self._reading, people)

        for first in await retry_on_disconnect(load):
            span = Span(first.page_size, first.page_number)
            if await self._is_misplaced(span, first.position):
                log.warning("page_misplaced", size=span.size)
                if cap := self._evidence.likely_cap(span.size):
                    raise _cap_found(cap)
                raise PageSizeFound(
                    span.size // 2,
                    f"HRIMS answers pages of {_records(span.size)} with other records than asked for.",
                )

    async def _is_misplaced(self, span: Span, position: int) -> bool:
        """Return whether a page holds another record at this position than HRIMS returns for it alone.

        Both are requested ``ROUNDS`` times, in turn. Employees who come or go between two requests, or a
        temporary fault, change one of the responses.
        """
        if span.size == 1:
            return False
        answers = [
            (
                await fetch_identity(self._reader, span, position),
                await fetch_identity(self._reader, Span(1, span.start + position)),
            )
            for _ in range(ROUNDS)
        ]
        on_page, alone = answers[0]
        return len(set(answers)) == 1 and None not in answers[0] and on_page != alone


def _cap_found(size: int) -> PageSizeFound:
    return PageSizeFound(size, f"HRIMS gives at most {_records(size)} a page.", is_cap=True)


def _records(count: int) -> str:
    return "1 record" if count == 1 else f"{count:,} records"


async def page_size(context: SyncContext) -> int:
    """Return the page size that this run requests."""

    async def load() -> int:
        async with context.pool.connection() as conn:
            return await store.fitted_page_size(conn, context.attempt)

    return await retry_on_disconnect(load)


async def restart_pass(context: SyncContext, reading: int, found: PageSizeFound) -> None:
    """Start the pass again with the page size that was found."""
    log.warning("page_size_found", size=found.size)

    async def write() -> None:
        async with context.pool.connection() as conn:
            await check_attempt(conn, context.attempt)
            await store.restart_pass(conn, context.attempt, reading, found.size, str(found))

    await retry_on_disconnect(write)
    message = f"{found} Reading the list from the start in pages of {_records(found.size)}."
    await pages.note(context.attempt, message, context.pool)


async def has_small_pages(context: SyncContext) -> bool:
    """Return whether HRIMS gives pages as small as requested."""
    return await page_size(context) <= context.attempt.page_size
