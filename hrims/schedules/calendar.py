"""When a schedule is due: a cron line, a time zone and a moment come in; the next times go out, and words.
Pure.

The line is read by the clock on the wall. A line for all hours comes whenever the clock shows one of its
times, so an hourly line comes every hour over a clock change. A line that names hours comes once for each of
its times: at the first of two, and later if the clock leaves the time out.
"""

import heapq
import itertools
import re
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from croniter import CroniterError, croniter  # type: ignore[import-untyped] # it has no types

from hrims.errors import InvalidInput

LONGEST_LINE: Final = 100

CLOSEST: Final = timedelta(minutes=10)
"""Between two times of a schedule at least."""

LOOKED_AT: Final = 50
"""Times that are looked at for whether two are too close."""

LARGEST_CHANGE: Final = timedelta(hours=25)
"""Longer than any clock was ever set forward or back: a day, where a country crossed the date line."""

DAYS: Final = ("Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")

BY_CHANCE = re.compile(r"(^|[ ,])[rh]($|[ ,/(-])", re.IGNORECASE)

BAD_CRON = (
    "The cron line must have five fields and 100 letters at most: minute, hour, day, month, day of the week, "
    "like 0 1 * * * for every night at one. Nothing was changed."
)


def check_zone(given: object) -> ZoneInfo:
    """The time zone of this name. Raises InvalidInput."""
    try:
        return ZoneInfo(given if isinstance(given, str) else "")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InvalidInput(
            "timeZone must be a name like Africa/Dar_es_Salaam. Nothing was changed.", "bad_time_zone"
        ) from None


def check_cron(given: object, zone: ZoneInfo, now: datetime) -> str:
    """The line with single spaces. Raises InvalidInput for one that is none, never comes, or comes
    too often.
    """
    line = " ".join(given.split()) if isinstance(given, str) else ""
    if len(line) > LONGEST_LINE or not line.isascii() or len(line.split(" ")) != 5:
        raise InvalidInput(BAD_CRON, "bad_cron")
    # croniter's R and H are times by chance, and others at each look.
    if BY_CHANCE.search(line) or not croniter.is_valid(line):
        raise InvalidInput("A field of this cron line cannot be read. Nothing was changed.", "bad_cron")
    try:
        upcoming(line, zone, now, 1)
        # Its own times, as a clock shows them that never changes.
        shown = upcoming(line, ZoneInfo("UTC"), now, LOOKED_AT)
    except CroniterError:
        raise InvalidInput("This cron line never comes. Nothing was changed.", "bad_cron") from None
    if any(later - earlier < CLOSEST for earlier, later in itertools.pairwise(shown)):
        raise InvalidInput("A schedule comes every ten minutes at most. Nothing was changed.", "bad_cron")
    return line


def upcoming(line: str, zone: ZoneInfo, after: datetime, count: int) -> list[datetime]:
    """The next times after a moment, in UTC. Raises CroniterError when there is none within fifty years."""
    following = times(line, zone, after)
    return [next(following) for _ in range(count)]


def times(line: str, zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """Yield all times after a moment, in UTC and in order. Raises as ``upcoming``."""
    is_for_all_hours = croniter.expand(line)[0][1] == ["*"]
    # A clock change can move a time behind later ones. So a time is yielded once the line is read far enough
    # that no earlier one can follow.
    wall = croniter(line, after.astimezone(zone).replace(tzinfo=None) - LARGEST_CHANGE)
    known: list[datetime] = []
    last = after
    while True:
        shown = wall.get_next(datetime).replace(tzinfo=zone)
        for moment in _moments(shown, is_for_all_hours):
            heapq.heappush(known, moment)
        while known and known[0] < shown.astimezone(UTC) - LARGEST_CHANGE:
            if (moment := heapq.heappop(known)) > last:
                last = moment
                yield moment


def _moments(shown: datetime, is_for_all_hours: bool) -> list[datetime]:
    """Return the moments in UTC for a time that the clock shows once, twice or never."""
    first, second = shown.astimezone(UTC), shown.replace(fold=1).astimezone(UTC)
    if not is_for_all_hours or first == second:
        return [first]
    is_left_out = first.astimezone(shown.tzinfo).replace(tzinfo=None) != shown.replace(tzinfo=None)
    return [] if is_left_out else [first, second]


def plain(every: str, at: str, day: str) -> str:
    """The cron line of a plain choice: ``every`` day, weekday, week (``day`` 0 to 6, Sunday first) or month
    (``day`` 1 to 28), at a time like 01:30. Raises InvalidInput.
    """
    clock = read_time(at, "at")
    if clock is None:
        raise InvalidInput("Say at which time, like 01:30. Nothing was changed.", "bad_at")
    head = f"{clock.minute} {clock.hour}"
    if every == "day":
        return f"{head} * * *"
    if every == "weekday":
        return f"{head} * * 1-5"
    if every == "week" and day in {str(number) for number in range(7)}:
        return f"{head} * * {day}"
    if every == "month" and day in {str(number) for number in range(1, 29)}:
        return f"{head} {day} * *"
    raise InvalidInput(
        "Say how often: every day, weekday, week or month, on a day from 1 to 28. Nothing was changed.",
        "bad_every",
    )


def read_time(given: object, name: str) -> time | None:
    """A time of the day like 22:00; None for nothing. Raises InvalidInput."""
    if given is None or given == "":
        return None
    try:
        found = time.fromisoformat(given if isinstance(given, str) else "no time")
    except ValueError:
        found = None
    if found is None or found.tzinfo or found.second or found.microsecond:
        raise InvalidInput(f"{name} must be a time like 22:00. Nothing was changed.", "bad_time")
    return found


def as_plain(line: str) -> dict[str, str] | None:
    """The plain choice whose line this is: ``every``, ``at``, ``weekday``, ``day``; None when there
    is none.
    """
    minute, hour, day, month, weekday = line.split(" ")
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


def in_words(line: str) -> str:
    """A cron line as people say it; the line itself where there is no plain way to."""
    chosen = as_plain(line)
    if chosen is None:
        return line
    when = {
        "day": "every day",
        "weekday": "on weekdays",
        "week": f"every {DAYS[int(chosen.get('weekday', 0))]}",
        "month": f"on day {chosen.get('day')} of each month",
    }
    return f"{when[chosen['every']]} at {chosen['at']}"
