"""Times of schedules around clock changes, beside an oracle that looks at every minute of real time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from hrims.errors import InvalidInput
from hrims.schedules import calendar

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "America/Havana",  # at midnight
    "Australia/Lord_Howe",  # by half an hour
    "Antarctica/Troll",  # by two hours
    "Africa/Casablanca",  # to winter time in Ramadan
    "Pacific/Apia",  # left out a whole day in 2011
    "Africa/Dar_es_Salaam",
    "Asia/Kathmandu",
    "UTC",
)


def shown(line: str, zone: str, after: datetime, count: int) -> list[str]:
    times = calendar.next_times(line, ZoneInfo(zone), after, count)
    return [f"{at.astimezone(ZoneInfo(zone)):%d %H:%M %Z}" for at in times]


AUTUMN = datetime(2026, 10, 24, 23, tzinfo=UTC)
SPRING = datetime(2026, 3, 29, 0, tzinfo=UTC)


def test_an_hourly_line_comes_every_hour_when_summer_time_ends() -> None:
    assert shown("0 * * * *", "Europe/Berlin", AUTUMN, 4) == [
        "25 02:00 CEST", "25 02:00 CET", "25 03:00 CET", "25 04:00 CET",
    ]  # fmt: skip


def test_a_line_for_all_hours_is_read_alike_however_it_is_written() -> None:
    for hours in ("*/1", "0-23", "0-11,12-23"):
        other = shown(f"*/20 {hours} * * *", "Europe/Berlin", AUTUMN, 9)
        assert other == shown("*/20 * * * *", "Europe/Berlin", AUTUMN, 9)


@pytest.mark.parametrize("hours", ["2,3", "*/2", "2"])
def test_a_line_that_names_hours_comes_once_for_a_repeated_time(hours: str) -> None:
    times = shown(f"0 {hours} * * *", "Europe/Berlin", AUTUMN, 3)
    assert [at for at in times if at.startswith("25 02:00")] == ["25 02:00 CEST"]


def test_a_time_that_does_not_exist_comes_once_later() -> None:
    assert shown("0 2,3 * * *", "Europe/Berlin", SPRING, 2) == ["29 03:00 CEST", "30 02:00 CEST"]
    assert shown("30 2 * * *", "Europe/Berlin", SPRING, 2) == ["29 03:30 CEST", "30 02:30 CEST"]


def test_no_time_is_left_out_beside_one_that_comes_later() -> None:
    """In Lord Howe 02:20 comes at 02:50, after 02:40, which exists."""
    after = datetime(2026, 10, 3, 12, tzinfo=UTC)
    assert shown("20,40 2 * * *", "Australia/Lord_Howe", after, 3) == [
        "04 02:40 +11",
        "04 02:50 +11",
        "05 02:20 +11",
    ]


def test_a_line_is_judged_by_its_own_times_and_not_by_a_clock_change() -> None:
    """02:15 comes at 02:45 on one day of the year; that makes no line too frequent."""
    zone, day_before = ZoneInfo("Australia/Lord_Howe"), datetime(2026, 10, 3, 12, tzinfo=UTC)
    assert calendar.check_cron("15,50 2 * * *", zone, day_before)
    with pytest.raises(InvalidInput):
        calendar.check_cron("15,20 2 * * *", zone, day_before)


@lru_cache
def clock_changes(name: str) -> list[datetime]:
    """Return the hours in which the clock of a zone changes, 2011 to 2032; one moment where it never does."""
    zone, found = ZoneInfo(name), []
    at, end = datetime(2011, 1, 1, tzinfo=UTC), datetime(2032, 1, 1, tzinfo=UTC)
    while at < end:
        if (at + DAY).astimezone(zone).utcoffset() != at.astimezone(zone).utcoffset():
            found += [
                hour
                for hour in (at + n * HOUR for n in range(24))
                if hour.astimezone(zone).utcoffset() != (hour + HOUR).astimezone(zone).utcoffset()
            ]
        at += DAY
    return found or [datetime(2026, 3, 29, tzinfo=UTC)]


MOMENTS = st.sampled_from(ZONES).flatmap(
    lambda name: st.tuples(st.just(name), st.sampled_from(clock_changes(name)))
)
MINUTES = st.sampled_from([[0], [30], [15, 45], [0, 20, 40], [59], list(range(0, 60, 10))])
HOURS = st.sets(st.integers(0, 23), min_size=1).map(sorted) | st.just([*range(24)])


@settings(deadline=None)  # the oracle looks at thousands of minutes
@given(moment=MOMENTS, minutes=MINUTES, hours=HOURS, before=st.integers(0, 36 * 60))
@example(("Europe/Berlin", datetime(2026, 10, 25, 0, tzinfo=UTC)), [0], [*range(24)], 60)
@example(("Pacific/Apia", datetime(2011, 12, 30, 9, tzinfo=UTC)), [0], [3, 12], 600)
def test_times_are_those_of_the_clock_on_the_wall(
    moment: tuple[str, datetime], minutes: list[int], hours: list[int], before: int
) -> None:
    zone, begin = ZoneInfo(moment[0]), moment[1] - before * MINUTE
    line = f"{','.join(map(str, minutes))} {','.join(map(str, hours))} * * *"
    expected = sorted(oracle(zone, begin, set(minutes), set(hours)))
    assert expected
    assert calendar.next_times(line, zone, begin, len(expected)) == expected


def oracle(zone: ZoneInfo, begin: datetime, minutes: set[int], hours: set[int]) -> Iterator[datetime]:
    """Return all times in the two days after a moment: each minute at which the clock shows a time of the
    line. Of named hours only the first such minute, and what no minute shows, by the clock before the change.
    """
    every, end, wall_seen = len(hours) == 24, begin + 2 * DAY, set[datetime]()
    at, meant = begin - 2 * DAY, set[datetime]()
    while at <= end:
        wall = at.astimezone(zone).replace(tzinfo=None)
        if wall.minute in minutes and wall.hour in hours and (every or wall not in wall_seen):
            meant.add(at)
        wall_seen.add(wall)
        before = (at - MINUTE).astimezone(zone)
        missing = before.replace(tzinfo=None) + MINUTE
        while not every and missing < wall:
            if missing.minute in minutes and missing.hour in hours:
                meant.add((missing - (before.utcoffset() or timedelta())).replace(tzinfo=UTC))
            missing += MINUTE
        at += MINUTE
    return (time for time in meant if begin < time <= end)
