"""The times of a schedule. Input: cron expression, time zone and moment. Output: the next times, text. Pure.

The expression is read as local time. If its hour field is ``*``, it matches whenever the local clock shows
one of its times. So an hourly schedule stays hourly over a clock change. If it names hours, each of its times
matches once: the first of two if the clock is set back, and later if the clock skips the time.
"""

import heapq
import itertools
import re
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import CroniterError, croniter  # type: ignore[import-untyped] # has no type hints

from hrims.errors import InvalidInput

MAX_CRON_LENGTH: Final = 100

MIN_INTERVAL: Final = timedelta(minutes=10)
"""The shortest interval between two times of a schedule."""

CHECKED_TIMES: Final = 50
"""The number of times that are checked for too short intervals."""

MAX_CLOCK_CHANGE: Final = timedelta(hours=25)
"""Longer than any clock change on record: one day, where a country crossed the date line."""

DAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")

RANDOM_FIELD = re.compile(r"(^|[ ,])[rh]($|[ ,/(-])", re.IGNORECASE)

BAD_LENGTH: Final = (
    f"The cron line must have five fields and {MAX_CRON_LENGTH} characters at most: minute, hour, day, "
    "month, day of the week, like 0 1 * * * for every night at one."
)


def check_zone(given: str) -> ZoneInfo:
    """Return the time zone of this name. Raises InvalidInput."""
    try:
        return ZoneInfo(given)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput(
            "timeZone must be a name like Africa/Dar_es_Salaam. Nothing was changed.", "bad_time_zone"
        ) from None


def parse_cron(given: str) -> str:
    """Return the cron expression with single spaces. Raises InvalidInput if it is malformed."""
    cron = " ".join(given.split())
    if len(cron) > MAX_CRON_LENGTH or not cron.isascii() or len(cron.split(" ")) != 5:
        raise InvalidInput(f"{BAD_LENGTH} Nothing was changed.", "bad_cron")
    # croniter's R and H are random and differ on every evaluation.
    if RANDOM_FIELD.search(cron) or not croniter.is_valid(cron):
        raise InvalidInput("A field of this cron line cannot be read. Nothing was changed.", "bad_cron")
    return cron


def check_cron(given: str, zone: ZoneInfo, now: datetime) -> str:
    """Return the cron expression with single spaces.

    Raises InvalidInput if it is malformed, never matches, or matches too often.
    """
    cron = parse_cron(given)
    try:
        next_times(cron, zone, now, 1)
        # Its times in UTC, which has no clock changes.
        checked = next_times(cron, ZoneInfo("UTC"), now, CHECKED_TIMES)
    except CroniterError:
        raise InvalidInput("This cron line never comes. Nothing was changed.", "bad_cron") from None
    if any(later - earlier < MIN_INTERVAL for earlier, later in itertools.pairwise(checked)):
        raise InvalidInput(
            "A schedule starts a batch at most every ten minutes. Nothing was changed.", "bad_cron"
        )
    return cron


def next_times(cron: str, zone: ZoneInfo, after: datetime, count: int) -> list[datetime]:
    """Return the next times after a moment, in UTC.

    Raises CroniterError if none follows within fifty years.
    """
    following = iterate_times(cron, zone, after)
    return [next(following) for _ in range(count)]


def iterate_times(cron: str, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """Yield all times after a moment, in UTC and in order. Raises like ``next_times``."""
    is_for_all_hours = croniter.expand(cron)[0][1] == ["*"]
    # A clock change can move a time behind later ones. Yield a time only when no earlier one can follow.
    local_times = croniter(cron, after.astimezone(zone).replace(tzinfo=None) - MAX_CLOCK_CHANGE)
    pending: list[datetime] = []
    last = after
    while True:
        local_time = local_times.get_next(datetime).replace(tzinfo=zone)
        for moment in _to_utc(local_time, is_for_all_hours):
            heapq.heappush(pending, moment)
        while pending and pending[0] < local_time.astimezone(UTC) - MAX_CLOCK_CHANGE:
            if (moment := heapq.heappop(pending)) > last:
                last = moment
                yield moment


def _to_utc(local_time: datetime, is_for_all_hours: bool) -> list[datetime]:
    """Return the moments in UTC for a time that the local clock shows once, twice or never."""
    first, second = local_time.astimezone(UTC), local_time.replace(fold=1).astimezone(UTC)
    if not is_for_all_hours or first == second:
        return [first]
    is_skipped = first.astimezone(local_time.tzinfo).replace(tzinfo=None) != local_time.replace(tzinfo=None)
    return [] if is_skipped else [first, second]


def build_cron(every: str, at: str, day: int) -> str:
    """Return the cron expression of a simple choice.

    ``every`` is day, weekday, week (``day`` 0 to 6, Sunday first) or month (``day`` 1 to 28). ``at`` is a
    time like 01:30.
    """
    clock = time.fromisoformat(at)
    days = {"day": "* * *", "weekday": "* * 1-5", "week": f"* * {day}", "month": f"{day} * *"}
    return f"{clock.minute} {clock.hour} {days[every]}"


def parse_time(given: str | None) -> time | None:
    """Return a time of day like 22:00, or None for an empty text."""
    return time.fromisoformat(given) if given else None


def parse_simple(cron: str) -> dict[str, str] | None:
    """Return the simple choice that a cron expression equals: ``every``, ``at``, ``weekday``, ``day``.

    None if there is no such choice.
    """
    minute, hour, day, month, weekday = cron.split(" ")
    if not (minute.isdigit() and hour.isdigit() and month == "*"):
        return None
    chosen = {"at": f"{int(hour):02}:{int(minute):02}"}
    if day == "*" and weekday in {"*", "1-5"}:
        return chosen | {"every": "day" if weekday == "*" else "weekday"}
    if day == "*" and weekday in {str(number) for number in range(7)}:
        return chosen | {"every": "week", "weekday": weekday}
    if weekday == "*" and day in {str(number) for number in range(1, 29)}:
        return chosen | {"every": "month", "day": day}
    return None


def describe_cron(cron: str) -> str:
    """Return a cron expression as text. Return it unchanged if there is no simple text."""
    chosen = parse_simple(cron)
    if chosen is None:
        return cron
    when = {
        "day": "every day",
        "weekday": "on weekdays",
        "week": f"every {DAYS[int(chosen.get('weekday', 0))]}",
        "month": f"on day {chosen.get('day')} of each month",
    }
    return f"{when[chosen['every']]} at {chosen['at']}"
