"""The page size that HRIMS really gives. Input: the responses of a pass. Output: a size, or None. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from operator import itemgetter
from typing import Final

from hrims.sync.spans import Span

PAGES_TO_PROVE: Final = 2
"""Different pages that must have the same wrong number of records, ``TIMES`` each, to prove a page size.
HRIMS also cuts a page by chance, and returns it whole when it is requested again.
"""

TIMES: Final = 2

TIMES_OF_A_PAGE: Final = 3
"""Responses to one page with the same number of records, more than requested, that prove a page size. A list
may have no second page.
"""

BITS: Final = 1 << 23
"""Bits of the set of people who were met, 1 MB. It is exact up to eight million ids, and approximate beyond.
"""


class Evidence:
    """Evidence for a page size: pages that held another number of records than requested."""

    def __init__(self) -> None:
        self._times: defaultdict[int, Counter[Span]] = defaultdict(Counter)
        self._largest_full = 0
        self._smallest_full = float("inf")

    def add_full(self, span: Span, total: int) -> None:
        """Note a page that held as many records as requested, of a list of ``total``."""
        self._largest_full = max(self._largest_full, span.size)
        if span.stop < total:
            # HRIMS could have sent more, and did not.
            self._smallest_full = min(self._smallest_full, span.size)

    def add(self, span: Span, records: int) -> int | None:
        """Note a page with too few or too many records.

        Return the page size that HRIMS gives once it is proven.

        A page that held as many records as requested disproves a smaller size. If the list continued after
        it, it also disproves a larger one.
        """
        times = self._times[records]
        times[span] += 1
        is_proven = sum(count >= TIMES for count in times.values()) >= PAGES_TO_PROVE
        if records > span.size:
            is_proven |= times[span] >= TIMES_OF_A_PAGE
            return records if is_proven and self._smallest_full >= records else None
        return records if is_proven and self._largest_full <= records else None

    def likely_cap(self, size: int) -> int | None:
        """Return the number of records that several pages of this size had in common, if it is smaller.

        It proves a cap only if pages of this size are known to be wrong.
        """
        answers = Counter[int]()
        for records, times in self._times.items():
            if self._largest_full <= records < size:
                answers[records] = sum(count for span, count in times.items() if span.size == size)
        records, count = max(answers.items(), key=itemgetter(1), default=(0, 0))
        return records if count >= TIMES else None


class MetPeople:
    """The people of a pass, as one bit each. Input: ids. Output: how many of them were met before."""

    def __init__(self) -> None:
        self._bits = bytearray(BITS // 8)

    def add(self, ids: Iterable[int]) -> int:
        """Add people. Return how many of them were met before."""
        before = 0
        for id_ in ids:
            byte, bit = (id_ % BITS) >> 3, 1 << (id_ & 7)
            before += bool(self._bits[byte] & bit)
            self._bits[byte] |= bit
        return before


def is_suspicious(met_before: int, people: int) -> bool:
    """Return whether so many people of a page were met before that it may not be the requested page."""
    return met_before >= 2 and 2 * met_before >= people
