"""Exponential backoff. Input: failures in a row. Output: the seconds to wait before the next try. Pure."""

from random import Random

MAX_DOUBLINGS = 64
"""The wait stops to grow after so many failures, however large its limit is."""


def exponential_backoff(first: float, failures: int, maximum: float) -> float:
    """Return the seconds to wait after ``failures`` failures in a row, 1 after the first.

    The wait is ``first`` seconds and doubles with each failure, up to ``maximum``.
    """
    return min(maximum, first * 2.0 ** min(max(failures - 1, 0), MAX_DOUBLINGS))


def half_jitter(seconds: float, rng: Random) -> float:
    """Return between half of the seconds and all of them, so that many processes do not return together."""
    return seconds * rng.uniform(0.5, 1.0)
