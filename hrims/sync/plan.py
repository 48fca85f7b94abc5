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

DOUBTED = 8
"""Failures in a row, without any page answered between, after which HRIMS is asked whether it is there."""

LONGEST_QUIET = 5
"""Rounds without an answer for which the pause doubles; from then on it stays."""

CROWDED = 3
"""Failures in a row from which on the remote counts as overloaded. One now and then is its everyday: it
fails a page in twelve, however little it is asked.
"""

MOMENT = 0.1
"""Share of the time after which a page failed that passes before it is asked for again, while others are
answered; up to the pause of the settings.
"""

LEAST_PAUSE = 0.05
"""Seconds before a page is asked for again, however soon it failed."""

EMPTY = 20
"""Answers in a row that hold nobody, all behind whoever was met: from then on a page there is asked for once
only. The total is most likely wrong; each page is asked for all the same.
"""

GROW_AFTER = 4
"""Pages answered in a row after which pages grow again."""

SMALLEST = 10
"""Records below which pages do not shrink for time-outs: those come by chance too, and a page that cannot
be had is split by itself.
"""


@dataclass
class Ask:
    """A page to ask for, how often it was asked for in vain, when it was asked for last, and whether its
    answer has come.
    """

    span: Span
    tries: int = 0
    since: float = 0.0
    received: bool = False


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
        None before its first answer. ``at_once`` pages are asked for at the same time at most, beside
        as many that are being saved, so that HRIMS waits for no Postgres.
        """
        self.total = total
        self.size = page_size
        self.window = float(at_once if total is not None else 1)
        self._page_size, self._tries, self._first_pause = page_size, tries, first_pause
        self._at_once = at_once
        self._taken = Coverage(saved)
        self._again: list[tuple[float, int, Ask]] = []
        self._order = itertools.count()
        self._asked = self._saving = 0
        self._splits = 0
        self._met_up_to = 0
        self._empty = 0
        self._in_a_row = 0
        self._in_vain = 0
        self._quiet_until = 0.0

    @property
    def hopeless(self) -> bool:
        """Whether so many failed in a row that the remote itself is the trouble."""
        return self._in_vain >= HOPELESS

    @property
    def doubted(self) -> bool:
        """Whether, once every few failures in a row, the remote should be asked something else: that tells
        pages that cannot be had from a remote that is not there.
        """
        return self._in_vain > 0 and self._in_vain % DOUBTED == 0

    def take(self, now: float) -> Ask | float | None:
        """The next page to ask for; or the seconds to wait unless an answer comes first (none known:
        infinity); or None when every page has been answered or given up.
        """
        # What a kill costs, and the memory, are bounded by the pages that are not saved yet.
        open_now = self._asked + self._saving
        if self._asked >= max(1, int(self.window)) or open_now >= 2 * self._at_once:
            return float("inf")
        if now < self._quiet_until:
            return self._quiet_until - now
        if self._again and self._again[0][0] <= now:
            return self._take(heapq.heappop(self._again)[2], now)
        if span := self._fresh():
            return self._take(Ask(span), now)
        if self._again:
            return self._again[0][0] - now
        return float("inf") if open_now else None

    @property
    def nothing_left(self) -> bool:
        """Whether every page has been asked for, and none waits to be asked for again."""
        return self.total is not None and not self._again and not any(self._taken.gaps(self.total))

    def _take(self, ask: Ask, now: float) -> Ask:
        self._asked += 1
        ask.since = now
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

    def received(self, ask: Ask, total: int) -> None:
        """The page was answered and is being saved: another may be asked for."""
        ask.received = True
        self._asked -= 1
        self._saving += 1
        self._in_vain = 0
        if self.total is None:
            self.window = float(self._at_once)
        self.total = total

    def answered(self, ask: Ask, records: int, total: int) -> None:
        """The page was answered with so many records, and saved."""
        if not ask.received:
            self.received(ask, total)
        self._saving -= 1
        # What lies behind the end is nobody's yet: should the listing grow, it is asked for.
        self._taken.remove(ask.span.start + records, ask.span.stop)
        if records:
            self._met_up_to = max(self._met_up_to, ask.span.start + records)
            self._empty = 0
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
        if self._is_crowded(error):
            self.window = max(1.0, self.window / 2)
        if not error.again or self.hopeless:
            raise error
        rounds = self._in_vain // self._at_once
        self._be_quiet(rounds, error.retry_after, now, chance)
        if isinstance(error, RemoteTimeout | RemoteTooLarge):
            # Pages that were in flight together run out of time together: that is one sign, not five.
            self.size = min(self.size, max(ask.span.size // 2, min(self._page_size, SMALLEST)))
        ask.tries += 1
        is_empty = isinstance(error, RemoteShort) and not error.had
        self._empty = self._empty + 1 if is_empty and ask.span.start >= self._met_up_to else 0
        if self._empty > EMPTY:
            return True
        if ask.tries < self._tries and not (rounds >= IN_DOUBT and ask.tries >= TRIES_OF_A_PART):
            first = self._first_pause if self._is_crowded(error) else self._short_pause(now - ask.since)
            self._later(ask, now + pause(max(1, ask.tries), first, error.retry_after, chance))
            return False
        if isinstance(error, RemoteUnreachable):
            raise error
        if is_empty:
            # Nothing at all, each time: there is nothing to split.
            return True
        return self.split(ask.span, error, now)

    def _be_quiet(self, rounds: int, retry_after: float | None, now: float, chance: Random) -> None:
        """What one page was asked to wait for holds for all, and so does a round without any answer."""
        waits = min(rounds, LONGEST_QUIET)
        seconds = pause(waits, self._first_pause, retry_after, chance) if waits else retry_after or 0.0
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

    def _is_crowded(self, error: RemoteError) -> bool:
        """Whether this failure says that the remote is asked too much, or is not there."""
        if isinstance(error, RemoteTimeout | RemoteUnreachable) or error.retry_after:
            return True
        return self._in_vain >= CROWDED

    def _short_pause(self, took: float) -> float:
        """While other pages are answered, one that failed waits for a moment of what a page takes."""
        return min(self._first_pause, max(took * MOMENT, LEAST_PAUSE))

    def _later(self, ask: Ask, due: float) -> None:
        heapq.heappush(self._again, (due, next(self._order), ask))
