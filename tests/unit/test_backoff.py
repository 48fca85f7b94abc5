"""Exponential backoff: it doubles from the first wait up to a maximum, with jitter."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from hrims.backoff import exponential_backoff, half_jitter


def test_it_doubles_up_to_the_maximum() -> None:
    assert [exponential_backoff(2.0, failures, 30.0) for failures in range(7)] == [2, 2, 4, 8, 16, 30, 30]


@given(st.floats(0, 1e6), st.integers(0, 10**9), st.floats(0, 1e6))
def test_it_never_shrinks_and_keeps_to_the_maximum(first: float, failures: int, maximum: float) -> None:
    wait = exponential_backoff(first, failures, maximum)
    assert 0 <= wait <= maximum
    assert wait <= exponential_backoff(first, failures + 1, maximum)


@given(st.floats(0, 1e6), st.randoms(use_true_random=False))
def test_jitter_takes_at_most_half(seconds: float, rng: Random) -> None:
    assert seconds / 2 <= half_jitter(seconds, rng) <= seconds
