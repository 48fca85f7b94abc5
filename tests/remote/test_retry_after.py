"""How long to wait: longer each time, by chance, and never less than HRIMS asks for."""

from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrims.remote.retry_after import MAX_RETRY_AFTER, backoff, parse_retry_after
from tests.remote.answers import CALM

SECONDS = st.floats(0, 100)
CHANCE = st.integers().map(Random)


@CALM
@given(st.integers(1, 5), CHANCE)
def test_backoff_doubles_with_jitter_between_half_and_full(tries: int, rng: Random) -> None:
    whole = 2.0 * 2 ** (tries - 1)
    assert whole / 2 <= backoff(tries, 2.0, None, rng) <= whole


@CALM
@given(CHANCE)
def test_jitter_spreads_the_retries_of_workers(rng: Random) -> None:
    assert len({backoff(3, 2.0, None, rng) for _ in range(20)}) > 1


@CALM
@given(st.integers(0, 10**9), SECONDS, SECONDS, CHANCE)
def test_it_never_goes_above_the_cap(tries: int, first: float, cap: float, rng: Random) -> None:
    assert 0 <= backoff(tries, first, None, rng, cap) <= cap


@CALM
@given(st.integers(1, 20), st.floats(0, MAX_RETRY_AFTER), CHANCE)
def test_retry_after_of_hrims_is_respected(tries: int, asked: float, rng: Random) -> None:
    assert backoff(tries, 2.0, asked, rng) >= asked


@CALM
@given(CHANCE)
def test_the_wait_is_bounded(rng: Random) -> None:
    assert backoff(1, 2.0, 86_400.0, rng) == MAX_RETRY_AFTER


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
        ("Mon, 23 Nov 2026 12:30:00 GMT", MAX_RETRY_AFTER),
        ("999999999", MAX_RETRY_AFTER),
        ("Fri, 31 Dec 9999 23:59:59 GMT", MAX_RETRY_AFTER),
        ("Fri, 31 Dec 9999 23:59:59 -1400", MAX_RETRY_AFTER),
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
def test_retry_after_header_is_parsed(header: str, seconds: float | None) -> None:
    assert parse_retry_after(header, NOON) == seconds


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
    assert 0 <= (parse_retry_after(header, NOON) or 0) <= MAX_RETRY_AFTER
