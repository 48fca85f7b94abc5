"""When the next attempt of a run is due: pauses double, within a limit, with jitter."""

from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from procrastinate.jobs import Job

from hrims.jobs.attempts.retry import MAX_PAUSE, RetryLater, RetryWhenRequested, RunFailed, next_attempt

NOW = datetime(2026, 11, 30, 12, 0, tzinfo=UTC)


def pause(failures: int, first_pause: float, seed: int = 1, max_attempts: int = 100) -> float:
    """Return the seconds until the next attempt."""
    at = next_attempt(failures, max_attempts, first_pause, NOW, Random(seed))
    assert at is not None
    return (at - NOW).total_seconds()


@given(failures=st.integers(1, 99), first_pause=st.floats(0.1, 3600), seed=st.integers(0, 9))
def test_pauses_double_up_to_a_limit_with_a_tenth_of_jitter(
    failures: int, first_pause: float, seed: int
) -> None:
    expected = first_pause * 2 ** min(failures - 1, 40)
    limit = max(MAX_PAUSE, first_pause)
    received = pause(failures, first_pause, seed)
    assert 0.9 * min(expected, limit) <= received + 1e-5
    assert received - 1e-5 <= 1.1 * min(expected, limit)


def test_two_runs_that_fail_together_are_not_tried_again_together() -> None:
    assert len({round(pause(3, 5.0, seed), 3) for seed in range(20)}) > 15


@pytest.mark.parametrize(("failures", "max_attempts"), [(3, 3), (4, 3), (1, 1)])
def test_there_is_none_after_the_last(failures: int, max_attempts: int) -> None:
    assert next_attempt(failures, max_attempts, 5.0, NOW, Random(1)) is None


def test_the_last_attempt_but_one_is_followed_by_another() -> None:
    assert pause(2, 5.0, max_attempts=3) > 0


def test_the_queue_retries_a_job_only_when_its_attempt_says_so() -> None:
    strategy, job = (
        RetryWhenRequested(),
        Job(id=1, queue="q", lock=None, queueing_lock=None, task_name="sync"),
    )
    decision = strategy.get_retry_decision(exception=RetryLater(NOW), job=job)
    assert decision.retry_at == NOW
    for error in (RunFailed(), ValueError()):
        assert strategy.get_retry_decision(exception=error, job=job) is None
