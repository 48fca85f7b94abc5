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
    """Seconds that a Retry-After asks to wait: a number of them or a date; None if it is neither."""
    asked = header.strip()
    if re.fullmatch(r"[0-9]{1,9}", asked):
        return float(asked)
    try:
        then = parsedate_to_datetime(asked)
    except ValueError:
        return None
    aware = then if then.tzinfo else then.replace(tzinfo=UTC)
    return max(0.0, (aware - now).total_seconds())
