"""Which page size HRIMS really gives: the answers of a pass come in, a size or nothing goes out. Pure."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Final

from hrims.sync.spans import Span

PAGES_TO_PROVE: Final = 2
"""Different pages with the same wrong number of records that prove a page size. One alone may be a passing
fault.
"""

BITS: Final = 1 << 23
"""Bits of the set of people who were met, 1 MB: exact up to eight million ids, and approximate beyond."""


class Evidence:
    """Pages that held another number of records than asked for."""

    def __init__(self) -> None:
        self._pages: defaultdict[int, set[Span]] = defaultdict(set)
        self._largest_full = 0

    def add_full(self, span: Span) -> None:
        """Note a page that held as many records as asked for."""
        self._largest_full = max(self._largest_full, span.size)

    def add(self, span: Span, records: int) -> int | None:
        """Note a page with too few or too many records; return the page size that HRIMS gives once it is
        proven.

        A page size is proven by two pages that hold the same number of records, or by two answers to the
        same page where more records came than asked for. A full page of a larger size disproves it.
        """
        pages = self._pages[records]
        is_again = span in pages
        pages.add(span)
        if records > span.size:
            return records if is_again or len(pages) >= PAGES_TO_PROVE else None
        return records if len(pages) >= PAGES_TO_PROVE and self._largest_full <= records else None


class MetPeople:
    """The people of a pass, as one bit each: ids are the input, how many were met before is the output."""

    def __init__(self) -> None:
        self._bits = bytearray(BITS // 8)

    def add(self, ids: Iterable[int]) -> int:
        """Add people and return how many of them were met before."""
        before = 0
        for id_ in ids:
            byte, bit = (id_ % BITS) >> 3, 1 << (id_ & 7)
            before += bool(self._bits[byte] & bit)
            self._bits[byte] |= bit
        return before


def is_suspicious(met_before: int, people: int) -> bool:
    """Return whether so many people of a page were met before that the page may be another one than asked
    for.
    """
    return met_before >= 2 and 2 * met_before >= people
