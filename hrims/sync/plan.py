"""Which page to ask for next, and what a failure means for the rest: answers and failures come in;
pages, pauses and verdicts go out. Pure: time and chance are arguments.
"""

import heapq
import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from hrims.errors import RemoteError, RemoteShort, RemoteTimeout, RemoteTooLarge, RemoteUnreachable
from hrims.remote.pace import pause
from hrims.sync.spans import Coverage, Span

TRIES_OF_A_PART = 2
"""Tries of a page that is part of one which kept failing: it has had the others."""

MOST_SPLITS = 200
"""Pages that one attempt splits at most, so that what a failing remote may cost is bounded."""

HOPELESS = 20
"""Failures in a row, without any page answered between, after which the remote itself is the trouble."""

GROW_AFTER = 8
"""Pages answered in a row after which pages grow again."""


@dataclass
class Ask:
    """A page to ask for, and how often it was asked for in vain."""

    span: Span
    tries: int = 0


class Plan:
    """The pages of one attempt at a run that are still to come."""

    def __init__(
        self,
        *,
        page_size: int,
        tries: int,
        first_pause: float,
        at_once: int,
        saved: Iterable[tuple[int, int]] = (),
        total: int | None = None,
    ) -> None:
        """``saved`` are stretches of positions that need not be asked for; ``total`` is the remote's,
        None before its first answer. ``at_once`` pages are asked for at the same time at most.
        """
        self.total = total
        self.size = page_size
        self.window = float(at_once if total is not None else 1)
        self._page_size, self._tries, self._first_pause = page_size, tries, first_pause
        self._at_once = at_once
        self._taken = Coverage(saved)
        self._again: list[tuple[float, int, Ask]] = []
        self._order = itertools.count()
        self._asked = 0
        self._splits = 0
        self._in_a_row = 0
        self._in_vain = 0

    @property
    def hopeless(self) -> bool:
        """Whether so many failed in a row that the remote itself is the trouble."""
        return self._in_vain >= HOPELESS

    def take(self, now: float) -> Ask | float | None:
        """The next page to ask for; or the seconds to wait unless an answer comes first (none known:
        infinity); or None when every page has been answered or given up.
        """
        if self._asked < max(1, int(self.window)):
            if self._again and self._again[0][0] <= now:
                return self._take(heapq.heappop(self._again)[2])
            if span := self._fresh():
                return self._take(Ask(span))
        if self._asked == 0 and not self._again:
            return None
        return (
            max(0.0, self._again[0][0] - now) if self._again and self._asked < self.window else float("inf")
        )

    def _take(self, ask: Ask) -> Ask:
        self._asked += 1
        return ask

    def _fresh(self) -> Span | None:
        if self.total is None:
            # Nothing is known before the first answer, so there is one question.
            return self._reserve(Span(self.size, 0)) if 0 not in self._taken else None
        gap = next(self._taken.gaps(self.total), None)
        if gap is None:
            return None
        start, stop = gap
        return self._reserve(
            Span.at(start, self.size if stop >= self.total else min(self.size, stop - start))
        )

    def _reserve(self, span: Span) -> Span:
        self._taken.add(span.start, span.stop)
        return span

    def answered(self, ask: Ask, records: int, total: int) -> None:
        """The page was answered with so many records, and saved."""
        self._asked -= 1
        self._in_vain = 0
        if self.total is None:
            self.window = float(self._at_once)
        self.total = total
        # What lies behind the end is nobody's yet: should the listing grow, it is asked for.
        self._taken.remove(ask.span.start + records, ask.span.stop)
        self._in_a_row += 1
        if self._in_a_row % GROW_AFTER == 0:
            self.size = min(self._page_size, self.size * 2)
        self.window = min(self._at_once, self.window + 1 / self.window)

    def failed(self, ask: Ask, error: RemoteError, now: float, chance: Random) -> bool:
        """Plans what follows a failure. True when the page is a single record that cannot be had.

        Raises the error when asking again cannot help, or has not: RemoteUnreachable, unless the remote
        is there for other questions (then ``split``), or whatever comes when nothing else is answered.
        """
        self._asked -= 1
        self._in_a_row = 0
        # A short page is an answer: the remote is there.
        self._in_vain += not isinstance(error, RemoteShort)
        self.window = max(1.0, self.window / 2)
        if not error.again or self.hopeless:
            raise error
        if isinstance(error, RemoteTimeout | RemoteTooLarge):
            self.size = max(1, self.size // 2)
        ask.tries += 1
        if ask.tries < self._tries:
            self._later(ask, now + pause(ask.tries, self._first_pause, error.retry_after, chance))
            return False
        if isinstance(error, RemoteUnreachable):
            raise error
        return self.split(ask.span, error, now)

    def split(self, span: Span, error: RemoteError, now: float) -> bool:
        """Asks for a page that keeps failing in parts. True when it is a single record already.

        Raises the error when too many were split.
        """
        if self._splits >= MOST_SPLITS:
            raise error
        parts = [part for part in span.halves() if self.total is None or part.start < self.total]
        if not parts:
            return True
        self._splits += 1
        self._taken.remove(parts[-1].stop, span.stop)
        for part in parts:
            self._later(Ask(part, max(0, self._tries - TRIES_OF_A_PART)), now)
        return False

    def _later(self, ask: Ask, due: float) -> None:
        heapq.heappush(self._again, (due, next(self._order), ask))
