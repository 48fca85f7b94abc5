"""How long to wait before asking again: tries and what HRIMS asked for come in, seconds go out."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from random import Random
from typing import Final

MOST_PATIENCE: Final = 300.0
"""Seconds; a Retry-After beyond this is not obeyed in full, so that a run never stands still."""


def pause(tries: int, first: float, retry_after: float | None, random: Random, cap: float = 60.0) -> float:
    """Seconds to wait after ``tries`` failed tries (1 after the first).

    Doubles from ``first`` up to ``cap``, between half of that and the whole by chance, so that
    many workers do not come back at the same moment; never less than ``retry_after`` (seconds)
    asks for, up to MOST_PATIENCE.
    """
    whole = min(cap, first * 2.0 ** min(max(tries - 1, 0), 64))
    by_chance = whole * random.uniform(0.5, 1.0)
    return max(by_chance, min(retry_after or 0.0, MOST_PATIENCE))


def asked_for(header: str, now: datetime) -> float | None:
    """Return the seconds, up to MOST_PATIENCE, that a Retry-After asks to wait; None if it asks for nothing.

    It may be a number of seconds or a date, and comes from outside: a date can name any year, hour or zone.
    """
    asked = header.strip()
    if re.fullmatch(r"[0-9]{1,9}", asked):
        return min(float(asked), MOST_PATIENCE)
    try:
        then = parsedate_to_datetime(asked)
        aware = then if then.tzinfo else then.replace(tzinfo=UTC)
        seconds = (aware - now).total_seconds()
    except (ValueError, OverflowError):
        return None
    return min(max(0.0, seconds), MOST_PATIENCE)
