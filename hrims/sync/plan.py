"""Which page to ask for next, and what a failure means for the rest: answers and failures come in;
pages, pauses and verdicts go out. Pure: time and chance are arguments.
"""

import heapq
import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

from hrims.errors import (
    RemoteError,
    RemoteGarbled,
    RemoteShort,
    RemoteTimeout,
    RemoteTooLarge,
    RemoteUnreachable,
)
from hrims.remote.pace import MOST_PATIENCE, pause
from hrims.sync.spans import Coverage, Span

TRIES_OF_A_PART = 2
"""Tries of a page that is part of one which kept failing: it has had the others."""

MORE_TRIES_OF_ONE = 2
"""Tries that a single record has beyond those of a page: after them it is called broken, and where three
pages in ten fail by chance, a few tries fail by chance too.
"""

MOST_SPLITS = 200
"""Pages that one attempt splits at most, so that what a failing remote may cost is bounded."""

HOPELESS = 40
"""Failures in a row, without any page answered between, after which the remote itself is the trouble."""

IN_DOUBT = 2
"""Rounds of failures in a row (a round: as many as are asked at once) after which pages that keep failing are
split at once: where each holds a record that breaks the remote, only smaller ones can be answered.
"""

GROW_AFTER = 4
"""Pages answered in a row after which pages grow again."""

SMALLEST = 10
"""Records below which pages do not shrink for time-outs: those come by chance too, and a page that cannot
be had is split by itself.
"""


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
        self._quiet_until = 0.0

    @property
    def hopeless(self) -> bool:
        """Whether so many failed in a row that the remote itself is the trouble."""
        return self._in_vain >= HOPELESS

    def take(self, now: float) -> Ask | float | None:
        """The next page to ask for; or the seconds to wait unless an answer comes first (none known:
        infinity); or None when every page has been answered or given up.
        """
        if self._asked >= max(1, int(self.window)):
            return float("inf")
        if now < self._quiet_until:
            return self._quiet_until - now
        if self._again and self._again[0][0] <= now:
            return self._take(heapq.heappop(self._again)[2])
        if span := self._fresh():
            return self._take(Ask(span))
        if self._again:
            return self._again[0][0] - now
        return float("inf") if self._asked else None

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
        """Plans what follows a failure. True when the page cannot be had: a single record that fails every
        time, or one of which the remote sends nothing that can be used.

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
        rounds = self._in_vain // self._at_once
        self._be_quiet(rounds, error.retry_after, now, chance)
        if isinstance(error, RemoteTimeout | RemoteTooLarge):
            # Pages that were in flight together run out of time together: that is one sign, not five.
            self.size = min(self.size, max(ask.span.size // 2, min(self._page_size, SMALLEST)))
        ask.tries += 1
        if ask.tries < self._tries and not (rounds >= IN_DOUBT and ask.tries >= TRIES_OF_A_PART):
            self._later(ask, now + pause(max(1, ask.tries), self._first_pause, error.retry_after, chance))
            return False
        if isinstance(error, RemoteUnreachable):
            raise error
        if isinstance(error, RemoteShort) and not error.had:
            # Nothing at all, each time: there is nothing to split.
            return True
        return self.split(ask.span, error, now)

    def _be_quiet(self, rounds: int, retry_after: float | None, now: float, chance: Random) -> None:
        """What one page was asked to wait for holds for all, and so does a round without any answer."""
        seconds = pause(rounds, self._first_pause, retry_after, chance) if rounds else retry_after or 0.0
        self._quiet_until = max(self._quiet_until, now + min(seconds, MOST_PATIENCE))

    def split(self, span: Span, error: RemoteError, now: float) -> bool:
        """Asks for a page that keeps failing in parts. True when it cannot be had: a single record, or too
        many were split and the remote answers, but with nothing that can be used.

        Raises the error when too many were split, or nothing was ever answered.
        """
        if self._splits >= MOST_SPLITS:
            if isinstance(error, RemoteGarbled):
                return True
            raise error
        parts = [part for part in span.halves() if self.total is None or part.start < self.total]
        if not parts:
            if self.total is None:
                # Of a listing that never told its total, nobody can say what is missing.
                raise error
            return True
        self._splits += 1
        self._taken.remove(parts[-1].stop, span.stop)
        for part in parts:
            tries = -MORE_TRIES_OF_ONE if part.size == 1 else max(0, self._tries - TRIES_OF_A_PART)
            self._later(Ask(part, tries), now)
        return False

    def _later(self, ask: Ask, due: float) -> None:
        heapq.heappush(self._again, (due, next(self._order), ask))
