"""Which pages are still to be fetched: saved stretches, fetched pages and retries are the input, the next
page is the output. Pure.
"""

import heapq
import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from hrims.sync.spans import Coverage, Span

MOST_PAGES = 2**40
"""A position behind the end of any listing."""


@dataclass
class Ask:
    """A page to request, and the history of its failures."""

    span: Span
    page: Span | None = None
    """The page that kept failing and was split, if this is a part of one."""
    tries: int = 0
    """Requests for it that failed."""
    earlier: int = 0
    """Requests that failed for the larger pages of which it is a part."""
    since: float = 0.0
    """When it was requested last."""
    received: bool = False
    answers_before: int | None = None
    """Pages that HRIMS had answered when this one, or the page it is a part of, first failed."""
    answers_at_last_failure: int | None = None
    is_suspect: bool = False
    """Whether its last failure says more about it than about HRIMS."""
    is_unconfirmed: bool = False
    """Whether HRIMS has answered no page between the last two failures of this one."""


class Cursor:
    """The positions of a listing that are neither saved nor being fetched, and the pages that wait for a
    retry.
    """

    def __init__(self, saved: Iterable[tuple[int, int]]) -> None:
        """``saved`` are stretches of positions that need not be requested."""
        self._taken = Coverage(saved)
        self._retries: list[tuple[float, int, Ask]] = []
        self._order = itertools.count()
        self.pages = 0
        """Pages that were begun, without retries and parts."""

    def pop_due(self, now: float) -> Ask | None:
        """Remove and return the page whose retry has been due for the longest time."""
        if self._retries and self._retries[0][0] <= now:
            return heapq.heappop(self._retries)[2]
        return None

    @property
    def next_due(self) -> float | None:
        """When the next retry is due; None without any."""
        return self._retries[0][0] if self._retries else None

    def next_page(self, total: int, size: int) -> Ask | None:
        """Return the first page that was not requested yet, of at most ``size`` records."""
        gap = next(self._taken.gaps(total), None)
        if gap is None:
            return None
        start, stop = gap
        return self._reserve(Span.at(start, size if stop >= total else min(size, stop - start)))

    def first_page(self, size: int, pages: int) -> Ask | None:
        """Return one of the first ``pages`` pages of a listing whose total is unknown."""
        if self.pages >= pages:
            return None
        start, _ = next(self._taken.gaps(MOST_PAGES))
        return self._reserve(Span.at(start, size))

    def retry(self, ask: Ask, due: float) -> None:
        """Schedule a request for this page."""
        heapq.heappush(self._retries, (due, next(self._order), ask))

    def release(self, start: int, stop: int) -> None:
        """Make these positions available for other pages."""
        self._taken.remove(start, stop)

    def has_pages(self, total: int) -> bool:
        """Whether a page was not requested yet."""
        return any(self._taken.gaps(total))

    def is_exhausted(self, total: int) -> bool:
        """Whether every page was requested and none waits for a retry."""
        return not self._retries and not self.has_pages(total)

    def _reserve(self, span: Span) -> Ask:
        self.pages += 1
        self._taken.add(span.start, span.stop)
        return Ask(span)
