"""Which records of a listing are saved, and which pages to ask for next: positions come in, pages go
out. Pure.

A page *n* of size *s* holds the positions from *n* × *s* on. A stretch that is not saved can therefore
be asked for in pages of any size that divides where they begin: a page that fails is split, and the
page size may change in the middle of a run, while what is saved stays exact.
"""

import bisect
from collections.abc import Iterable, Iterator
from operator import itemgetter
from typing import NamedTuple

MOST_PARTS = 5
"""Equal parts of a page at most: halving it takes more tries, one after another, to find a broken record."""


class Span(NamedTuple):
    """One page of the remote: page ``number`` of ``size`` records."""

    size: int
    number: int

    @classmethod
    def at(cls, start: int, most: int) -> "Span":
        """The largest page of at most ``most`` records that begins at ``start``."""
        size = _largest_divisor(start, most)
        return cls(size, start // size)

    @property
    def start(self) -> int:
        """The position of its first record; positions count from 0."""
        return self.number * self.size

    @property
    def stop(self) -> int:
        """The position behind its last record."""
        return self.start + self.size

    @classmethod
    def astride(cls, edge: int, beside: int) -> "Span":
        """The smallest page with so many records on either side of ``edge``, or as many as there are before
        it: one answer shows who are neighbours across the edge.
        """
        size = next(
            size
            for size in range(min(beside, edge) + beside, edge + beside + 1)
            if min(beside, edge) <= edge % size <= size - beside
        )
        return cls(size, edge // size)

    def parts(self, most: int = MOST_PARTS) -> Iterator["Span"]:
        """Return the smaller pages that hold the same records; none when it holds one record.

        They are equal, and at most ``most`` where the size allows; of a size without small divisors they
        are not.
        """
        counts = [count for count in range(2, MOST_PARTS + 1) if self.size % count == 0]
        if counts:
            count = max((count for count in counts if count <= most), default=counts[0])
            size, first = self.size // count, self.number * count
            return (Span(size, number) for number in range(first, first + count))
        return cover(self.start, self.stop, self.size // 2) if self.size > 1 else iter(())


def cover(start: int, stop: int, most: int) -> Iterator[Span]:
    """Pages of at most ``most`` records that hold the positions from start to stop, each once."""
    while start < stop:
        span = Span.at(start, min(most, stop - start))
        yield span
        start = span.stop


def _largest_divisor(number: int, most: int) -> int:
    """The largest divisor of ``number`` up to ``most``; of 0, which all divide, ``most`` itself."""
    return next(size for size in range(most, 0, -1) if number % size == 0)


_start, _stop = itemgetter(0), itemgetter(1)


class Coverage:
    """The positions that are taken, as stretches in order that neither touch nor overlap."""

    def __init__(self, stretches: Iterable[tuple[int, int]] = ()) -> None:
        self._stretches: list[tuple[int, int]] = []
        for start, stop in stretches:
            self.add(start, stop)

    @property
    def stretches(self) -> list[tuple[int, int]]:
        """The stretches that are taken, in order."""
        return list(self._stretches)

    def add(self, start: int, stop: int) -> None:
        """Takes the positions from start to stop."""
        if start < stop:
            first, last = self._touching(start, stop)
            joined = self._stretches[first:last]
            low, high = (joined[0][0], joined[-1][1]) if joined else (start, stop)
            self._stretches[first:last] = [(min(start, low), max(stop, high))]

    def remove(self, start: int, stop: int) -> None:
        """Gives the positions from start to stop back."""
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
        """Which stretches touch or overlap these positions: the first of them, and the one behind the last.

        A listing of a million has ten thousand stretches when its edges are read again: none is walked
        over that is not concerned.
        """
        first = bisect.bisect_left(self._stretches, start, key=_stop)
        return first, bisect.bisect_right(self._stretches, stop, lo=first, key=_start)

    def gaps(self, total: int) -> Iterator[tuple[int, int]]:
        """The stretches up to ``total`` that are not taken, in order."""
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
