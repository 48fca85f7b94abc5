"""The throttle: additive increase and multiplicative decrease of the window, and pauses with limits."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrims.errors import RemoteError, RemoteFailed, RemoteShort, RemoteTimeout, RemoteTooLarge
from hrims.remote.retry_after import MAX_RETRY_AFTER
from hrims.sync.cursor import PageRequest
from hrims.sync.spans import Span
from hrims.sync.throttle import (
    GROW_AFTER,
    MIN_CROWDED,
    MIN_PAGE_SIZE,
    MIN_PAUSE,
    Throttle,
    first_pause,
)

AT_ONCE, PAGE_SIZE = 4, 100
errors = st.sampled_from(
    [
        RemoteTimeout("slow"),
        RemoteFailed("it failed"),
        RemoteFailed("busy", retry_after=7.0),
        RemoteShort("short", had=3),
        RemoteTooLarge("too large"),
    ]
)


def _throttle(*, is_listing_known: bool = True, page_size: int = PAGE_SIZE) -> Throttle:
    return Throttle(page_size=page_size, at_once=AT_ONCE, first_pause=2.0, is_listing_known=is_listing_known)


def _succeed(throttle: Throttle) -> None:
    throttle.add_response()
    throttle.add_saved(throttle.size)


def _fail(
    throttle: Throttle, error: RemoteError, *, is_suspect: bool = False, since: float = 0.0
) -> PageRequest:
    request = PageRequest(Span(throttle.size, 0), since=since, tries=1, is_suspect=is_suspect)
    throttle.add_failure(request, error)
    return request


@given(st.lists(st.none() | errors, max_size=60), st.integers(1, 500))
def test_window_and_size_stay_within_their_limits(events: list[RemoteError | None], page_size: int) -> None:
    throttle = _throttle(page_size=page_size)
    for error in events:
        if error is None:
            _succeed(throttle)
        else:
            _fail(throttle, error)
        assert 1.0 <= throttle.window <= AT_ONCE
        assert min(page_size, MIN_PAGE_SIZE) <= throttle.size <= page_size


@given(st.integers(0, 6))
def test_a_timeout_halves_the_window_and_each_round_of_successes_adds_one(successes: int) -> None:
    throttle = _throttle()
    for _ in range(successes):
        _succeed(throttle)
    before = throttle.window
    _fail(throttle, RemoteTimeout("slow"))
    assert throttle.window == before / 2 == 2.0
    for _ in range(2):
        _succeed(throttle)
    assert 2.8 < throttle.window <= 3.0


def test_one_request_at_a_time_until_the_total_is_known() -> None:
    throttle = _throttle(is_listing_known=False)
    assert throttle.window == 1.0
    throttle.open()
    assert throttle.window == AT_ONCE


def test_single_failures_are_not_overload_and_several_in_a_row_are() -> None:
    throttle = _throttle()
    for _ in range(MIN_CROWDED - 1):
        _fail(throttle, RemoteFailed("it failed"))
    assert throttle.window == AT_ONCE
    _fail(throttle, RemoteFailed("it failed"))
    assert throttle.window == AT_ONCE / 2
    throttle.add_response()
    assert (throttle.failures, throttle.rounds) == (0, 0)


@given(st.integers(1, 30))
def test_a_suspect_page_neither_closes_the_window_nor_pauses_others(failures: int) -> None:
    throttle = _throttle()
    for _ in range(failures):
        request = _fail(throttle, RemoteTimeout("slow"), is_suspect=True)
        throttle.back_off(request, RemoteTimeout("slow"), 10.0, Random(1))
    assert (throttle.window, throttle.size, throttle.rounds) == (AT_ONCE, PAGE_SIZE, 0)
    assert throttle.paused_until <= 10.0


@given(st.floats(0, 10_000), st.integers(0, 40), st.floats(0, 1000))
def test_all_pages_wait_for_retry_after_within_its_limit(
    retry_after: float, failures: int, now: float
) -> None:
    throttle = _throttle()
    for _ in range(failures):
        _fail(throttle, RemoteFailed("it failed"))
    error = RemoteFailed("busy", retry_after=retry_after)
    throttle.back_off(_fail(throttle, error), error, now, Random(1))
    waited = throttle.paused_until - now
    assert min(retry_after, MAX_RETRY_AFTER) - 1e-6 <= waited <= MAX_RETRY_AFTER + 1e-6


def test_the_page_size_grows_back_after_successes_but_not_to_a_size_that_was_too_large() -> None:
    throttle = _throttle()
    _fail(throttle, RemoteTimeout("slow"))
    assert throttle.size == PAGE_SIZE // 2
    for _ in range(GROW_AFTER):
        _succeed(throttle)
    assert throttle.size == PAGE_SIZE
    _fail(throttle, RemoteTooLarge("too large"))
    for _ in range(4 * GROW_AFTER):
        throttle.add_response()
        throttle.add_saved(PAGE_SIZE // 2)
    assert throttle.size == PAGE_SIZE // 2


def test_the_page_size_doubles_and_reaches_a_size_that_has_succeeded() -> None:
    throttle = _throttle()
    _fail(throttle, RemoteTooLarge("too large"))
    _fail(throttle, RemoteTimeout("slow"))
    assert throttle.size == PAGE_SIZE // 4
    for _ in range(GROW_AFTER):
        _succeed(throttle)
    assert throttle.size == PAGE_SIZE // 2
    # A page of the size that was too large was in flight, and succeeds.
    throttle.add_saved(PAGE_SIZE)
    for _ in range(GROW_AFTER):
        _succeed(throttle)
    assert throttle.size == PAGE_SIZE


def test_the_first_pause_is_a_share_of_the_request_time_within_limits() -> None:
    assert first_pause(10.0, 2.0) == pytest.approx(1.0)
    assert first_pause(0.1, 2.0) == MIN_PAUSE
    assert first_pause(60.0, 2.0) == 2.0


@given(st.floats(0.01, 60.0))
def test_a_failure_by_chance_pauses_its_page_for_a_part_of_the_request_time(seconds: float) -> None:
    throttle = _throttle()
    error = RemoteFailed("it failed")
    request = _fail(throttle, error, since=100.0)
    pause = throttle.pause(request, error, 100.0 + seconds, Random(1))
    assert 0 < pause <= 2.0
    assert pause <= max(0.05, seconds * 0.1) + 1e-6
