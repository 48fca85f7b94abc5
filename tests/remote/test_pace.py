"""How long to wait: longer each time, by chance, and never less than HRIMS asks for."""

from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrims.remote.pace import MOST_PATIENCE, asked_for, pause
from tests.remote.answers import CALM

SECONDS = st.floats(0, 100)
CHANCE = st.integers().map(Random)


@CALM
@given(st.integers(1, 5), CHANCE)
def test_it_doubles_with_chance_between_half_and_whole(tries: int, chance: Random) -> None:
    whole = 2.0 * 2 ** (tries - 1)
    assert whole / 2 <= pause(tries, 2.0, None, chance) <= whole


@CALM
@given(CHANCE)
def test_chance_makes_workers_come_back_apart(chance: Random) -> None:
    assert len({pause(3, 2.0, None, chance) for _ in range(20)}) > 1


@CALM
@given(st.integers(0, 10**9), SECONDS, SECONDS, CHANCE)
def test_it_never_goes_above_the_cap(tries: int, first: float, cap: float, chance: Random) -> None:
    assert 0 <= pause(tries, first, None, chance, cap) <= cap


@CALM
@given(st.integers(1, 20), st.floats(0, MOST_PATIENCE), CHANCE)
def test_what_hrims_asks_for_is_kept(tries: int, asked: float, chance: Random) -> None:
    assert pause(tries, 2.0, asked, chance) >= asked


@CALM
@given(CHANCE)
def test_nobody_waits_for_a_day(chance: Random) -> None:
    assert pause(1, 2.0, 86_400.0, chance) == MOST_PATIENCE


NOON = datetime(2026, 11, 23, 12, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 0 ", 0.0),
        ("Mon, 23 Nov 2026 12:01:30 GMT", 90.0),
        ("Mon, 23 Nov 2026 12:01:30 -0000", 90.0),
        ("Mon, 23 Nov 2026 15:00:05 +0300", 5.0),
        ("Mon, 23 Nov 2026 11:00:00 GMT", 0.0),
        ("Mon, 23 Nov 2026 12:30:00 GMT", MOST_PATIENCE),
        ("999999999", MOST_PATIENCE),
        ("Fri, 31 Dec 9999 23:59:59 GMT", MOST_PATIENCE),
        ("Fri, 31 Dec 9999 23:59:59 -1400", MOST_PATIENCE),
        ("Mon, 01 Jan 0001 00:00:00 +1400", 0.0),
        ("Mon, 23 Nov 99999 12:00:00 GMT", None),
        (f"Mon, 23 Nov {'9' * 30} 12:00:00 GMT", None),
        (f"Mon, {'9' * 30} Nov 2026 12:00:00 GMT", None),
        (f"Mon, 23 Nov 2026 {'9' * 30}:00:00 GMT", None),
        (f"Mon, 23 Nov 2026 12:00:00 +{'9' * 30}", None),
        (f"Mon, 23 Nov {'9' * 5000} 12:00:00 GMT", None),
        ("Mon, 23 Nov 2026 12:00:00 +99999999", None),
        ("Mon, 99 Nov 2026 11:00:00 GMT", None),
        ("soon", None),
        ("-5", None),
        ("1e3", None),
        ("9" * 5000, None),
        ("", None),
    ],
)
def test_what_a_header_asks_for(header: str, seconds: float | None) -> None:
    assert asked_for(header, NOON) == seconds


NUMBERS = st.integers().map(str) | st.sampled_from(
    ["", "00", "2026", "99999", "1" * 25, "-1", "1.5", "x", "²"]
)
DATES = st.builds(
    "{}, {} {} {} {}:{}:{} {}".format,
    st.sampled_from(["Mon", "Foo", ""]), NUMBERS, st.sampled_from(["Nov", "Foo", "11"]),
    NUMBERS, NUMBERS, NUMBERS, NUMBERS, NUMBERS | st.sampled_from(["GMT", "+0300", "-9999", "EST"]),
)  # fmt: skip


@CALM
@given(st.text() | NUMBERS | DATES)
def test_any_header_is_seconds_within_bounds_or_nothing(header: str) -> None:
    assert 0 <= (asked_for(header, NOON) or 0) <= MOST_PATIENCE
