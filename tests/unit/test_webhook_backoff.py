"""When a message is tried again: over about a day, and then no more."""

from datetime import UTC, datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from hrims.webhooks.delivery.backoff import BACKOFF_SECONDS, JITTER, next_attempt_at

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@given(failures=st.integers(1, len(BACKOFF_SECONDS)), seed=st.integers())
def test_each_pause_is_the_promised_one_give_or_take_a_tenth(failures: int, seed: int) -> None:
    at = next_attempt_at(failures, NOW, Random(seed))
    assert at is not None
    expected = BACKOFF_SECONDS[failures - 1]
    assert (1 - JITTER) * expected <= (at - NOW).total_seconds() <= (1 + JITTER) * expected + 0.001


def test_they_are_over_about_a_day_and_then_end() -> None:
    assert timedelta(hours=20) < timedelta(seconds=sum(BACKOFF_SECONDS)) < timedelta(hours=28)
    assert next_attempt_at(len(BACKOFF_SECONDS), NOW, Random(1)) is not None
    assert next_attempt_at(len(BACKOFF_SECONDS) + 1, NOW, Random(1)) is None


def test_chance_moves_them_apart() -> None:
    assert len({next_attempt_at(3, NOW, Random(seed)) for seed in range(10)}) == 10
