"""Calculates the wait before the next request. Input: number of tries, Retry-After. Output: seconds."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import Random
from typing import Final

from hrims.backoff import exponential_backoff, half_jitter

MAX_RETRY_AFTER: Final = 300.0
"""Maximum seconds of a Retry-After that are obeyed, so that a run never stops progressing."""


def backoff(tries: int, first: float, retry_after: float | None, random: Random, cap: float = 60.0) -> float:
    """Return the seconds to wait after ``tries`` failed tries (1 after the first).

    The wait doubles from ``first`` up to ``cap``, with jitter. It is never less than ``retry_after``
    (seconds), up to MAX_RETRY_AFTER.
    """
    pause = half_jitter(exponential_backoff(first, tries, cap), random)
    return max(pause, min(retry_after or 0.0, MAX_RETRY_AFTER))


def parse_retry_after(header: str, now: datetime) -> float | None:
    """Return the seconds that a Retry-After requests, up to MAX_RETRY_AFTER. Return None if it is invalid.

    It may be a number of seconds or a date. It is external input: a date can have any year, hour or zone.
    """
    value = header.strip()
    if re.fullmatch(r"[0-9]{1,9}", value):
        return min(float(value), MAX_RETRY_AFTER)
    try:
        date = parsedate_to_datetime(value)
        aware = date if date.tzinfo else date.replace(tzinfo=UTC)
        seconds = (aware - now).total_seconds()
    except (ValueError, OverflowError):
        return None
    return min(max(0.0, seconds), MAX_RETRY_AFTER)
