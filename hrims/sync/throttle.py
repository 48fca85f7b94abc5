"""How much may be requested at once, and when: outcomes of pages are the input; requests in flight, page
size and pauses are the output. Pure: time and chance are arguments.
"""

from random import Random

from hrims.errors import RemoteError, RemoteShort, RemoteTimeout, RemoteTooLarge, RemoteUnreachable
from hrims.remote.pace import MOST_PATIENCE, pause
from hrims.sync.cursor import Ask

LONGEST_QUIET = 5
"""Rounds without an answer for which the pause of all pages doubles; from then on it stays."""

CROWDED = 3
"""Failures in a row from which on HRIMS counts as overloaded. Single failures are normal: HRIMS fails one
page in twelve under any load.
"""

MOMENT = 0.1
"""The first pause of a page that failed while others are answered, as a share of the time after which it
failed; at most the pause of the settings.
"""

LEAST_PAUSE = 0.05
"""Seconds before a page is requested again, however soon it failed."""

GROW_AFTER = 4
"""Pages answered in a row after which pages grow again."""

SMALLEST = 10
"""Records below which pages do not shrink for time-outs: those also come by chance, and a page that keeps
failing is split.
"""


class Throttle:
    """Backs off while HRIMS is overloaded or down.

    Failures of a *suspect* page, which keeps failing while others are answered, say nothing about the load:
    they neither close the window nor pause other pages.
    """

    def __init__(self, *, page_size: int, at_once: int, first_pause: float, is_listing_known: bool) -> None:
        """``at_once`` pages are requested at the same time at most; one until HRIMS has told its total."""
        self.size = page_size
        self.window = float(at_once if is_listing_known else 1)
        self.quiet_until = 0.0
        self.failures = 0
        """Failures in a row, without any page answered between."""
        self._unexplained = 0
        """Those of them that were not failures of suspect pages."""
        self._page_size, self._at_once, self._first_pause = page_size, at_once, first_pause
        self._answers_in_a_row = 0
        self._largest = 0
        """Records of the largest page that was answered."""
        self._too_large = float("inf")
        """Records of the smallest page whose answer was too large."""

    @property
    def rounds(self) -> int:
        """Rounds of failures in a row; a round is as many as may be in flight."""
        return self._unexplained // self._at_once

    def open(self) -> None:
        """Allow as many requests as the settings do."""
        self.window = float(self._at_once)

    def answered(self) -> None:
        """Count an answer: HRIMS is there."""
        self.failures = self._unexplained = 0

    def saved(self, size: int) -> None:
        """Grow window and page size after an answer with a page of ``size`` records."""
        self._largest = max(self._largest, size)
        self._answers_in_a_row += 1
        if self._answers_in_a_row % GROW_AFTER == 0:
            self._grow()
        self.window = min(self._at_once, self.window + 1 / self.window)

    def _grow(self) -> None:
        larger = min(self._page_size, self.size * 2)
        # A size that was too large once and never answered is too large for all pages.
        if larger < self._too_large or self._largest >= self._too_large:
            self.size = larger

    def failed(self, ask: Ask, error: RemoteError) -> None:
        """Count the failure of a page; back off if it is a sign of overload."""
        self._answers_in_a_row = 0
        # A short page is an answer: HRIMS is there.
        if not isinstance(error, RemoteShort):
            self.failures += 1
            self._unexplained += not ask.is_suspect
        if self._is_crowded(ask, error):
            self.window = max(1.0, self.window / 2)
        if isinstance(error, RemoteTooLarge):
            self._too_large = min(self._too_large, ask.span.size)
        if isinstance(error, RemoteTimeout | RemoteTooLarge) and not ask.is_suspect:
            # Pages that were in flight together time out together: that is one sign, not five.
            self.size = min(self.size, max(ask.span.size // 2, min(self._page_size, SMALLEST)))

    def be_quiet(self, ask: Ask, error: RemoteError, now: float, rng: Random) -> None:
        """Pause all pages for what HRIMS asked one to wait for, and after each round without any answer."""
        rounds = 0 if ask.is_suspect else min(self.rounds, LONGEST_QUIET)
        asked = error.retry_after
        seconds = pause(rounds, self._first_pause, asked, rng) if rounds else asked or 0.0
        self.quiet_until = max(self.quiet_until, now + min(seconds, MOST_PATIENCE))

    def pause(self, ask: Ask, error: RemoteError, now: float, rng: Random) -> float:
        """Return the seconds before a page that failed is requested again."""
        first = self._first_pause
        if not self._is_crowded(ask, error):
            first = first_pause(now - ask.since, first)
        return pause(ask.tries, first, error.retry_after, rng)

    def _is_crowded(self, ask: Ask, error: RemoteError) -> bool:
        """Whether this failure says that HRIMS is asked too much, or is not there."""
        if ask.is_suspect:
            return bool(error.retry_after)
        return is_overload(error, self._unexplained)


def is_overload(error: RemoteError, failures: int) -> bool:
    """Return whether the last of so many failures in a row says that HRIMS is overloaded or not there."""
    if error.retry_after or failures >= CROWDED:
        return True
    return isinstance(error, RemoteTimeout | RemoteUnreachable)


def first_pause(seconds: float, most: float) -> float:
    """Return the first pause, in seconds, after a request that failed by chance after ``seconds``; ``most``
    is the pause of the settings.
    """
    return min(most, max(seconds * MOMENT, LEAST_PAUSE))
