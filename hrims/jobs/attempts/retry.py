"""Retries after a failed attempt, with exponential backoff. Pure: time and random source are arguments."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.jobs import Job

from hrims.backoff import exponential_backoff
from hrims.errors import HrimsSyncError

MAX_PAUSE = 600.0
"""Maximum number of seconds between two attempts, regardless of the number of failures."""


class RetryLater(HrimsSyncError):
    """The attempt is over and the run is saved as waiting or delayed. Its job goes back to the queue."""

    def __init__(self, at: datetime) -> None:
        super().__init__(f"another attempt follows at {at.isoformat(timespec='seconds')}")
        self.at = at


class RunFailed(HrimsSyncError):
    """The run is saved as failed, and its job fails too."""


class RetryWhenRequested(BaseRetryStrategy):
    """A retry strategy that requeues a job only if its attempt raised RetryLater."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> Any:
        del job
        return RetryDecision(retry_at=exception.at) if isinstance(exception, RetryLater) else None


def next_attempt(
    failures: int, max_attempts: int, first_pause: float, now: datetime, rng: Random
) -> datetime | None:
    """Return when the next attempt is due after ``failures`` failures; None if ``max_attempts`` are used up.

    The pause is ``first_pause`` seconds after the first failure and doubles after each, with 10 % jitter.
    """
    if failures >= max_attempts:
        return None
    # A first pause above the limit is a user's setting.
    pause = exponential_backoff(first_pause, failures, max(MAX_PAUSE, first_pause))
    return now + timedelta(seconds=pause * rng.uniform(0.9, 1.1))
