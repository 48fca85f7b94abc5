"""The backoff of deliveries.

Input: the number of failures and a random source. Output: when to retry. Pure.
"""

from datetime import datetime, timedelta
from random import Random
from typing import Final

MINUTE, HOUR = 60, 3600

BACKOFF_SECONDS: Final = (5, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 8 * HOUR, 8 * HOUR)
"""Seconds between attempts: nine attempts over about a day."""

JITTER = 0.1
"""The fraction by which a pause varies randomly, so that retries do not all come at the same time."""


def next_attempt_at(failures: int, now: datetime, rng: Random) -> datetime | None:
    """Return when to retry after ``failures`` failed attempts; None if no attempt is left."""
    if failures > len(BACKOFF_SECONDS):
        return None
    return now + timedelta(seconds=BACKOFF_SECONDS[failures - 1] * rng.uniform(1 - JITTER, 1 + JITTER))
