"""When a message is tried again: how often it failed comes in; the moment goes out. Pure, chance comes in."""

from datetime import datetime, timedelta
from random import Random
from typing import Final

MINUTE, HOUR = 60, 3600

PAUSES: Final = (5, MINUTE, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 8 * HOUR, 8 * HOUR)
"""Seconds between two tries: nine tries, over about a day."""

JITTER = 0.1
"""The part of a pause by which chance makes it longer or shorter, so that tries do not come all at once."""


def next_try(failures: int, now: datetime, chance: Random) -> datetime | None:
    """When the next try is due after ``failures`` of them; None when all are spent."""
    if failures > len(PAUSES):
        return None
    return now + timedelta(seconds=PAUSES[failures - 1] * chance.uniform(1 - JITTER, 1 + JITTER))
