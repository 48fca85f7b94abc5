"""Watches the pages of one pass for a page size that HRIMS does not give: answers in, ``PageSizeFound``
out.
"""

import logging

from hrims.errors import RemoteError, RemoteLong, RemoteShort
from hrims.steady import patiently
from hrims.sync import pages
from hrims.sync.page_fit import store
from hrims.sync.page_fit.evidence import Evidence, MetPeople, is_suspicious
from hrims.sync.pages import Asked
from hrims.sync.single import fetch_identity
from hrims.sync.spans import Span
from hrims.sync.store import check_fence
from hrims.sync.work import Reader

MAX_CHECKS = 3
"""Suspicious pages of a pass that are checked with single records; people who move cause some as well."""

ROUNDS = 3
"""Times that a page and the single record where it begins must differ in the same way."""

log = logging.getLogger(__name__)


class PageSizeFound(Exception):
    """HRIMS gives pages of another size than asked for: the pass starts again with ``size``."""

    def __init__(self, size: int, message: str, *, is_cap: bool = False) -> None:
        """``is_cap`` when HRIMS gives fewer records a page than asked for."""
        super().__init__(message)
        self.size, self.is_cap = size, is_cap


class PageFit:
    """The pages of one pass, compared with what was asked for."""

    def __init__(self, reader: Reader, reading: int, size: int) -> None:
        """``size`` is the page size of the pass."""
        self._reader, self._reading, self._size = reader, reading, size
        self._evidence = Evidence()
        self._met = MetPeople()
        self._checks = MAX_CHECKS

    async def resume(self) -> None:
        """Load what the pages that earlier attempts saved show."""
        reader = self._reader

        async def load() -> tuple[list[int], list[tuple[Span, int]]]:
            async with reader.pool.connection() as conn:
                people = await store.saved_people(conn, reader.attempt, self._reading)
                return people, await store.full_pages(conn, reader.attempt, self._reading)

        people, full_pages = await patiently(load)
        self._met.add(people)
        for span, total in full_pages:
            self._evidence.add_full(span, total)

    def add_failure(self, span: Span, error: RemoteError) -> None:
        """Note a failed page. Raises PageSizeFound once the number of its records is the rule, unless the
        pass asks for as many.
        """
        if not isinstance(error, RemoteShort | RemoteLong) or not error.had:
            return
        size = self._evidence.add(span, error.had)
        if size and size != self._size:
            if size < span.size:
                raise _cap_found(size)
            raise PageSizeFound(size, f"HRIMS gives {_records(size)} a page.")

    async def add_saved(self, span: Span, asked: Asked, people: list[int]) -> None:
        """Note a saved page. Raises PageSizeFound if it is not the one asked for."""
        records = len(asked.page.records)
        if records == span.size:
            self._evidence.add_full(span, asked.page.total)
        met_before = self._met.add(people)
        is_behind_end = records > max(0, asked.page.total - span.start)
        if self._checks and (is_suspicious(met_before, len(people)) or is_behind_end):
            self._checks -= 1
            await self._check(people)

    async def _check(self, people: list[int]) -> None:
        """Ask again for the pages that share people, and for the record where each begins, alone."""
        reader = self._reader

        async def load() -> list[store.FirstRecord]:
            async with reader.pool.connection() as conn:
                return await store.first_records(conn, reader.attempt, self._reading, people)

        for first in await patiently(load):
            span = Span(first.page_size, first.page_number)
            if await self._is_misplaced(span, first.position):
                log.warning("page_misplaced run=%s size=%s", reader.attempt.run_id, span.size)
                if cap := self._evidence.likely_cap(span.size):
                    raise _cap_found(cap)
                raise PageSizeFound(
                    span.size // 2,
                    f"HRIMS answers pages of {_records(span.size)} with other records than asked for.",
                )

    async def _is_misplaced(self, span: Span, position: int) -> bool:
        """Return whether a page holds another record at this position than HRIMS gives for it alone.

        Both are asked for ``ROUNDS`` times, in turn: employees who come or go between two requests, and a
        passing fault, change one of the answers.
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


async def page_size(reader: Reader) -> int:
    """Return the page size that this run asks for."""

    async def load() -> int:
        async with reader.pool.connection() as conn:
            return await store.fitted_page_size(conn, reader.attempt)

    return await patiently(load)


async def restart_pass(reader: Reader, reading: int, found: PageSizeFound) -> None:
    """Start the pass again with the page size that was found."""
    log.warning("page_size_found run=%s size=%s", reader.attempt.run_id, found.size)

    async def write() -> None:
        async with reader.pool.connection() as conn:
            await check_fence(conn, reader.attempt)
            await store.restart_pass(conn, reader.attempt, reading, found.size, str(found))

    await patiently(write)
    words = f"{found} Reading the list from the start in pages of {_records(found.size)}."
    await pages.note(reader.attempt, words, reader.pool)


async def has_small_pages(reader: Reader) -> bool:
    """Return whether HRIMS gives pages as small as they are asked for."""
    return await page_size(reader) <= reader.attempt.page_size
