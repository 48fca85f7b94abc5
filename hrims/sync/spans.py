"""The positions of a list that are saved, and the pages to request next.

Input: positions. Output: pages. Pure.

A page *n* of size *s* holds the positions from *n* × *s* on. A range that is not saved can therefore be
requested in pages of any size that divides its start. So a page that fails is split, and the page size may
change during a run, while the saved positions stay exact.
"""

import bisect
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import NamedTuple

END_OF_ANY_LIST = 2**40
"""A position after the end of any list."""

MAX_PARTS = 5
"""Maximum number of equal parts of a page. Halving it takes more tries in sequence to find a broken
record.
"""


class Span(NamedTuple):
    """One page of HRIMS' list: page ``number`` of ``size`` records."""

    size: int
    number: int

    @classmethod
    def at(cls, start: int, limit: int) -> "Span":
        """Return the largest page of at most ``limit`` records that begins at ``start``."""
        size = _largest_divisor(start, limit)
        return cls(size, start // size)

    @property
    def start(self) -> int:
        """The position of its first record; positions count from 0."""
        return self.number * self.size

    @property
    def stop(self) -> int:
        """The position after its last record."""
        return self.start + self.size

    @classmethod
    def astride(cls, edge: int, beside: int) -> "Span":
        """Return the smallest page across ``edge`` with ``beside`` records on either side.

        If fewer records are before the edge, all of them are on the page. One response shows which records
        are neighbours across the edge.
        """
        size = next(
            size
            for size in range(min(beside, edge) + beside, edge + beside + 1)
            if min(beside, edge) <= edge % size <= size - beside
        )
        return cls(size, edge // size)

    def parts(self, limit: int = MAX_PARTS) -> Iterator["Span"]:
        """Return the smaller pages that hold the same records; none if this page holds one record.

        They are equal, and at most ``limit`` if the size allows. If the size has no small divisors, they
        differ.
        """
        counts = [count for count in range(2, MAX_PARTS + 1) if self.size % count == 0]
        if counts:
            count = max((count for count in counts if count <= limit), default=counts[0])
            size, first = self.size // count, self.number * count
            return (Span(size, number) for number in range(first, first + count))
        return cover(self.start, self.stop, self.size // 2) if self.size > 1 else iter(())


def cover(start: int, stop: int, limit: int) -> Iterator[Span]:
    """Yield pages of at most ``limit`` records that hold the positions from start to stop, each once."""
    while start < stop:
        span = Span.at(start, min(limit, stop - start))
        yield span
        start = span.stop


def _largest_divisor(number: int, limit: int) -> int:
    """Return the largest divisor of ``number`` up to ``limit``.

    For 0, which every number divides, return ``limit``.
    """
    return next(size for size in range(limit, 0, -1) if number % size == 0)


_start, _stop = itemgetter(0), itemgetter(1)


class Coverage:
    """The positions that are taken, as ranges in order that neither touch nor overlap."""

    def __init__(self, stretches: Iterable[tuple[int, int]] = ()) -> None:
        self._stretches: list[tuple[int, int]] = []
        for start, stop in stretches:
            self.add(start, stop)

    @property
    def stretches(self) -> list[tuple[int, int]]:
        """The ranges that are taken, in order."""
        return list(self._stretches)

    def add(self, start: int, stop: int) -> None:
        """Take the positions from start to stop."""
        if start < stop:
            first, last = self._touching(start, stop)
            joined = self._stretches[first:last]
            low, high = (joined[0][0], joined[-1][1]) if joined else (start, stop)
            self._stretches[first:last] = [(min(start, low), max(stop, high))]

    def remove(self, start: int, stop: int) -> None:
        """Release the positions from start to stop."""
        if start < stop:
            first, last = self._touching(start, stop)
            kept = [
                part
                for low, high in self._stretches[first:last]
                for part in ((low, min(high, start)), (max(low, stop), high))
                if part[0] < part[1]
            ]
            self._stretches[first:last] = kept

    def _touching(self, start: int, stop: int) -> tuple[int, int]:
        """Return which ranges touch or overlap these positions: the index of the first, and of the last + 1.

        A list of a million records has ten thousand ranges when its edges are read again. Ranges that are not
        affected are not visited.
        """
        first = bisect.bisect_left(self._stretches, start, key=_stop)
        return first, bisect.bisect_right(self._stretches, stop, lo=first, key=_start)

    def gaps(self, total: int) -> Iterator[tuple[int, int]]:
        """Yield the ranges up to ``total`` that are not taken, in order."""
        at = 0
        for start, stop in self._stretches:
            if at < min(start, total):
                yield at, min(start, total)
            at = max(at, stop)
        if at < total:
            yield at, total

    def __contains__(self, position: object) -> bool:
        if not isinstance(position, int):
            return False
        at = bisect.bisect_right(self._stretches, position, key=_stop)
        return at < len(self._stretches) and self._stretches[at][0] <= position

    def __len__(self) -> int:
        return sum(stop - start for start, stop in self._stretches)
