"""When a schedule is due, over changes to summer time and back, and how its cron line is read."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrims.errors import InvalidInput
from hrims.schedules import calendar
from hrims.validation import validate_form
from hrims.web.core.forms import SimpleForm

DAR = ZoneInfo("Africa/Dar_es_Salaam")
BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def shown(line: str, zone: ZoneInfo, after: datetime, count: int = 3) -> list[str]:
    return [f"{at.astimezone(zone):%d %H:%M}" for at in calendar.next_times(line, zone, after, count)]


def test_every_night_at_one_is_one_there() -> None:
    assert shown("0 1 * * *", DAR, NOW) == ["26 01:00", "27 01:00", "28 01:00"]
    assert calendar.next_times("0 1 * * *", DAR, NOW, 1) == [datetime(2026, 11, 25, 22, tzinfo=UTC)]


def test_a_time_that_summer_time_leaves_out_comes_an_hour_later() -> None:
    assert shown("30 2 * * *", BERLIN, datetime(2026, 3, 28, 12, tzinfo=UTC)) == [
        "29 03:30", "30 02:30", "31 02:30",
    ]  # fmt: skip


def test_a_time_that_comes_twice_is_due_once() -> None:
    times = calendar.next_times("30 2 * * *", BERLIN, datetime(2026, 10, 24, 12, tzinfo=UTC), 2)
    assert times == [datetime(2026, 10, 25, 0, 30, tzinfo=UTC), datetime(2026, 10, 26, 1, 30, tzinfo=UTC)]


ZONES = st.sampled_from(
    ["Africa/Dar_es_Salaam", "Europe/Berlin", "America/Sao_Paulo", "Asia/Kathmandu", "UTC"]
)
LINES = st.sampled_from(
    ["0 1 * * *", "*/30 * * * *", "15 2 * * 1-5", "0 0 1 * *", "30 2 29 2 *", "0 */6 * * 0"]
)


@settings(deadline=None)  # a loaded machine may be slow
@given(zone=ZONES, line=LINES, minutes=st.integers(0, 3_000_000))
def test_times_come_in_order_and_none_is_left_out(zone: str, line: str, minutes: int) -> None:
    where = ZoneInfo(zone)
    begin = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    times = calendar.next_times(line, where, begin, 6)
    assert times == sorted(set(times))
    assert times[0] > begin
    # Starting after one of them returns the rest of the same times.
    assert calendar.next_times(line, where, times[2], 3) == times[3:]
    assert calendar.next_times(line, where, times[0] - timedelta(seconds=1), 1) == times[:1]


@pytest.mark.parametrize(
    "line",
    ["", "* * * *", "0 1 * * * *", "@daily", "61 1 * * *", "0 25 * * *", "0 1 * * *\n; x", "é 1 * *",
     "0 1 30 2 *", "* * * * *", "*/5 * * * *", "0,5 1 * * *",
     "R R * * *", "H 1 * * *", "r(0-5) 1 * * *", "0 1 " + "1," * 60 + "1 * *"],
)  # fmt: skip
def test_what_is_no_line_or_comes_never_or_too_often_is_refused(line: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        calendar.check_cron(line, DAR, NOW)
    assert refused.value.code == "bad_cron"


def test_a_line_is_kept_with_single_spaces() -> None:
    assert calendar.check_cron("  0  1 *  * * ", DAR, NOW) == "0 1 * * *"


def build_cron(every: str, at: str, day: str) -> str:
    """Return the cron expression of a form with this simple choice."""
    form = {"every": every, "at": at, "weekday" if every == "week" else "day": day}
    return validate_form(SimpleForm, form).cron


@pytest.mark.parametrize(
    ("every", "at", "day", "line", "message"),
    [
        ("day", "01:30", "", "30 1 * * *", "every day at 01:30"),
        ("weekday", "22:00", "", "0 22 * * 1-5", "on weekdays at 22:00"),
        ("week", "00:05", "0", "5 0 * * 0", "every Sunday at 00:05"),
        ("month", "03:00", "28", "0 3 28 * *", "on day 28 of each month at 03:00"),
    ],
)
def test_simple_choices_and_their_labels(every: str, at: str, day: str, line: str, message: str) -> None:
    assert build_cron(every, at, day) == line
    assert calendar.check_cron(line, DAR, NOW) == line
    assert calendar.describe_cron(line) == message
    again = calendar.parse_simple(line)
    assert again
    assert build_cron(again["every"], again["at"], again.get("weekday", again.get("day", ""))) == line


@pytest.mark.parametrize(
    ("every", "at", "day"),
    [("day", "", ""), ("day", "25:00", ""), ("day", "1 pm", ""), ("week", "01:00", "7"),
     ("month", "01:00", "29"), ("year", "01:00", ""), ("day", "01:00:30", "")],
)  # fmt: skip
def test_other_choices_are_refused(every: str, at: str, day: str) -> None:
    with pytest.raises(InvalidInput):
        build_cron(every, at, day)


def test_a_line_without_a_simple_label_is_shown_as_it_is() -> None:
    for line in ("*/30 * * * *", "0 1 * 6 *", "0 1 1 * 1"):
        assert calendar.describe_cron(line) == line
        assert calendar.parse_simple(line) is None


@pytest.mark.parametrize("name", ["", "Dar", "../etc/passwd", "Africa/Dar_es_Salaam\0"])
def test_an_invalid_time_zone_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        calendar.check_zone(name)


@pytest.mark.parametrize(("length", "is_valid"), [(100, True), (101, False)])
def test_a_cron_expression_has_a_hundred_characters_at_most(length: int, is_valid: bool) -> None:
    line = f"0 1 {','.join(['1'] * 30)},10"
    line += "," * (len(line) % 2) + ",1" * ((length - len(line) - 4) // 2)
    line = line.replace(",,", ",") + " * *"
    line = line.replace("0 1 ", "0 1 " + "0" * (length - len(line)), 1)
    assert len(line) == length
    if is_valid:
        assert calendar.check_cron(line, DAR, NOW) == line
    else:
        with pytest.raises(InvalidInput, match="100 characters at most"):
            calendar.check_cron(line, DAR, NOW)


def test_a_schedule_comes_every_ten_minutes_at_most() -> None:
    assert calendar.check_cron("*/10 * * * *", DAR, NOW) == "*/10 * * * *"
    for line in ("*/9 * * * *", "0,9 * * * *"):
        with pytest.raises(InvalidInput, match="at most every ten minutes"):
            calendar.check_cron(line, DAR, NOW)


@pytest.mark.parametrize(
    ("every", "days"),
    [("week", [str(day) for day in range(7)]), ("month", [str(day) for day in range(1, 29)])],
)
def test_the_days_of_a_simple_choice(every: str, days: list[str]) -> None:
    for day in days:
        line = build_cron(every, "01:30", day)
        chosen = calendar.parse_simple(line)
        assert chosen
        assert (chosen["every"], chosen["at"]) == (every, "01:30")
        assert day in {chosen.get("day"), chosen.get("weekday")}
    for day in (str(int(days[0]) - 1), str(int(days[-1]) + 1)):
        with pytest.raises(InvalidInput):
            build_cron(every, "01:30", day)
        assert calendar.parse_simple(f"30 1 {day} * *" if every == "month" else f"30 1 * * {day}") is None


@pytest.mark.parametrize("empty", [None, ""])
def test_an_empty_time_is_none(empty: str | None) -> None:
    assert calendar.parse_time(empty) is None
