"""The delays of the rate limiter for sign-ins, without the database.

Input: how many sign-ins failed, and how long ago the last one. Output: the seconds to wait.
"""

from datetime import timedelta
from typing import Final, NamedTuple

WINDOW: Final = timedelta(hours=1)
"""The time for which a failed sign-in counts."""


class Rule(NamedTuple):
    """A growing delay: none for ``free`` failures, then ``first`` seconds, doubled up to ``limit``."""

    free: int
    first: float
    limit: float

    def delay_after(self, failures: int) -> float:
        """Return the seconds that must pass after the last of these failures."""
        if failures < self.free:
            return 0.0
        doublings = min(failures - self.free, 30)
        return float(min(self.first * 2**doublings, self.limit))

    def seconds_left(self, failures: int, since_last: float) -> float:
        """Return the seconds to wait if the last failure was ``since_last`` seconds ago."""
        return max(0.0, self.delay_after(failures) - since_last)


PAIR: Final = Rule(free=5, first=2.0, limit=900.0)
"""Failures of one account at one address."""

DEVICE: Final = Rule(free=5, first=2.0, limit=900.0)
"""Failures of a user in a device in which the user has signed in before."""

ORIGIN: Final = Rule(free=30, first=2.0, limit=900.0)
"""Failures at one address, of all accounts. An office may share one."""

NAME: Final = Rule(free=50, first=2.0, limit=60.0)
"""Failures of one account, at all addresses. Strangers can cause them, so the delay stays short."""
