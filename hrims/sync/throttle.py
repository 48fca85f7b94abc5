"""Limits requests while HRIMS is overloaded or down. Pure: time and random source are arguments.

Input: outcomes of pages. Output: requests in flight, page size and pauses.
"""

from random import Random

from hrims.errors import RemoteError, RemoteShort, RemoteTimeout, RemoteTooLarge, RemoteUnreachable
from hrims.remote.retry_after import MAX_RETRY_AFTER, backoff
from hrims.sync.cursor import PageRequest

MAX_BACKOFF_ROUNDS = 5
"""Rounds without a success up to which the pause of all pages doubles; from then on it stays."""

MIN_CROWDED = 3
"""Failures in a row from which on HRIMS counts as overloaded. Single failures are normal: HRIMS fails one
page in twelve under any load.
"""

SAME_MOMENT = 0.1
"""The first pause of a page that failed while others succeed, as a share of the time after which it failed.
The pause of the settings is the maximum.
"""

MIN_PAUSE = 0.05
"""Minimum seconds before a page is requested again, however soon it failed."""

GROW_AFTER = 4
"""Successful pages in a row after which the page size grows again."""

MIN_PAGE_SIZE = 10
"""The page size below which time-outs do not shrink pages. Time-outs also happen by chance, and a page that
keeps failing is split.
"""


class Throttle:
    """A throttle that backs off while HRIMS is overloaded or down.

    Failures of a *suspect* page, which keeps failing while others succeed, show nothing about the load. They
    neither close the window nor pause other pages.
    """

    def __init__(self, *, page_size: int, at_once: int, first_pause: float, is_listing_known: bool) -> None:
        """Create a throttle.

        At most ``at_once`` pages are in flight at the same time; one until the total is known.
        """
        self.size = page_size
        self.window = float(at_once if is_listing_known else 1)
        self.paused_until = 0.0
        self.failures = 0
        """Failures in a row, without a successful page between them."""
        self._unexplained = 0
        """Those of ``failures`` that were not failures of suspect pages."""
        self._page_size, self._at_once, self._first_pause = page_size, at_once, first_pause
        self._successes_in_a_row = 0
        self._largest = 0
        """Records of the largest page that HRIMS returned."""
        self._too_large = float("inf")
        """Records of the smallest page whose response was too large."""

    @property
    def rounds(self) -> int:
        """Rounds of failures in a row; a round is as many as may be in flight."""
        return self._unexplained // self._at_once

    def open(self) -> None:
        """Allow as many requests in flight as the settings do."""
        self.window = float(self._at_once)

    def add_response(self) -> None:
        """Reset the counts of failures: HRIMS responds."""
        self.failures = self._unexplained = 0

    def add_saved(self, size: int) -> None:
        """Grow the window and the page size after the success of a page of ``size`` records."""
        self._largest = max(self._largest, size)
        self._successes_in_a_row += 1
        if self._successes_in_a_row % GROW_AFTER == 0:
            self._grow()
        self.window = min(self._at_once, self.window + 1 / self.window)

    def _grow(self) -> None:
        larger = min(self._page_size, self.size * 2)
        # A size that was too large once and never succeeded is too large for all pages.
        if larger < self._too_large or self._largest >= self._too_large:
            self.size = larger

    def add_failure(self, request: PageRequest, error: RemoteError) -> None:
        """Count the failure of a page. Shrink the window or the page size if it indicates overload."""
        self._successes_in_a_row = 0
        # A short page is a response: HRIMS is not down.
        if not isinstance(error, RemoteShort):
            self.failures += 1
            self._unexplained += not request.is_suspect
        if self._is_crowded(request, error):
            self.window = max(1.0, self.window / 2)
        if isinstance(error, RemoteTooLarge):
            self._too_large = min(self._too_large, request.span.size)
        if isinstance(error, RemoteTimeout | RemoteTooLarge) and not request.is_suspect:
            # Pages that were in flight at the same time also time out at the same time. That is one signal,
            # not five.
            self.size = min(self.size, max(request.span.size // 2, min(self._page_size, MIN_PAGE_SIZE)))

    def back_off(self, request: PageRequest, error: RemoteError, now: float, rng: Random) -> None:
        """Pause all pages for the time that HRIMS requests, and after each round without a success."""
        rounds = 0 if request.is_suspect else min(self.rounds, MAX_BACKOFF_ROUNDS)
        retry_after = error.retry_after
        seconds = backoff(rounds, self._first_pause, retry_after, rng) if rounds else retry_after or 0.0
        self.paused_until = max(self.paused_until, now + min(seconds, MAX_RETRY_AFTER))

    def pause(self, request: PageRequest, error: RemoteError, now: float, rng: Random) -> float:
        """Return the seconds before a page that failed is requested again."""
        first = self._first_pause
        if not self._is_crowded(request, error):
            first = first_pause(now - request.since, first)
        return backoff(request.tries, first, error.retry_after, rng)

    def _is_crowded(self, request: PageRequest, error: RemoteError) -> bool:
        """Return whether this failure indicates that HRIMS is overloaded or down."""
        if request.is_suspect:
            return bool(error.retry_after)
        return is_overload(error, self._unexplained)


def is_overload(error: RemoteError, failures: int) -> bool:
    """Return whether the last of so many failures in a row indicates that HRIMS is overloaded or down."""
    if error.retry_after or failures >= MIN_CROWDED:
        return True
    return isinstance(error, RemoteTimeout | RemoteUnreachable)


def first_pause(seconds: float, limit: float) -> float:
    """Return the first pause, in seconds, after a request that failed by chance after ``seconds``.

    ``limit`` is the pause of the settings.
    """
    return min(limit, max(seconds * SAME_MOMENT, MIN_PAUSE))
