"""The pages that are still to be fetched. Pure.

Input: saved ranges of positions, fetched pages and retries. Output: the next page.
"""

import heapq
import itertools
from collections.abc import Iterable
from dataclasses import dataclass

from hrims.sync.spans import END_OF_ANY_LIST, Coverage, Span


@dataclass
class PageRequest:
    """A page to request, and the history of its failures."""

    span: Span
    page: Span | None = None
    """The page that kept failing and was split, if this is a part of one."""
    tries: int = 0
    """Failed requests for this page."""
    earlier: int = 0
    """Failed requests for the larger pages of which this is a part."""
    since: float = 0.0
    """When it was last requested."""
    responses_before: int | None = None
    """Pages that HRIMS had returned when this page, or the page of which it is a part, first failed."""
    responses_at_last_failure: int | None = None
    is_suspect: bool = False
    """Whether its last failure indicates a broken page rather than a failing HRIMS."""
    is_unconfirmed: bool = False
    """Whether HRIMS returned no page between the last two failures of this one."""

    @property
    def first_page(self) -> Span:
        """The page as it was requested first, before it was split."""
        return self.page or self.span

    def add_failure(self, responses: int) -> None:
        """Count a failure. ``responses`` is the number of pages that HRIMS has returned."""
        self.tries += 1
        self.is_unconfirmed = self.responses_at_last_failure == responses
        self.responses_at_last_failure = responses
        if self.responses_before is None:
            self.responses_before = responses

    def part(self, span: Span, page: Span | None) -> "PageRequest":
        """Return a request for a part of this page. ``page`` is the page that kept failing."""
        earlier = self.earlier + self.tries
        return PageRequest(span, page, earlier=earlier, responses_before=self.responses_before)


class Cursor:
    """The positions of a list that are neither saved nor being fetched, and the pages waiting for a retry."""

    def __init__(self, saved: Iterable[tuple[int, int]]) -> None:
        """Create a cursor. ``saved`` are ranges of positions that need not be requested."""
        self._taken = Coverage(saved)
        self._retries: list[tuple[float, int, PageRequest]] = []
        self._order = itertools.count()
        self.pages = 0
        """Pages that were started, without retries and parts."""

    def pop_due(self, now: float) -> PageRequest | None:
        """Remove and return the page whose retry has been due the longest."""
        if self._retries and self._retries[0][0] <= now:
            return heapq.heappop(self._retries)[2]
        return None

    @property
    def next_due(self) -> float | None:
        """When the next retry is due; None if there is none."""
        return self._retries[0][0] if self._retries else None

    def next_page(self, total: int, size: int) -> PageRequest | None:
        """Return the first page that was not requested yet, of at most ``size`` records."""
        gap = next(self._taken.gaps(total), None)
        if gap is None:
            return None
        start, stop = gap
        return self._reserve(Span.at(start, size if stop >= total else min(size, stop - start)))

    def first_page(self, size: int, pages: int) -> PageRequest | None:
        """Return one of the first ``pages`` pages of a list whose total is unknown."""
        if self.pages >= pages:
            return None
        start, _ = next(self._taken.gaps(END_OF_ANY_LIST))
        return self._reserve(Span.at(start, size))

    def retry(self, request: PageRequest, due: float) -> None:
        """Schedule a retry of this page."""
        heapq.heappush(self._retries, (due, next(self._order), request))

    def release(self, start: int, stop: int) -> None:
        """Make these positions available to other pages."""
        self._taken.remove(start, stop)

    def has_pages(self, total: int) -> bool:
        """Return whether a page was not requested yet."""
        return any(self._taken.gaps(total))

    def is_exhausted(self, total: int) -> bool:
        """Return whether every page was requested and none waits for a retry."""
        return not self._retries and not self.has_pages(total)

    def _reserve(self, span: Span) -> PageRequest:
        self.pages += 1
        self._taken.add(span.start, span.stop)
        return PageRequest(span)
