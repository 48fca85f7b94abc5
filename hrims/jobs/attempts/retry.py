"""What comes after an attempt that failed: pure, time and chance come in as arguments."""

from datetime import datetime, timedelta
from random import Random
from typing import Any

from procrastinate import BaseRetryStrategy, RetryDecision
from procrastinate.jobs import Job

from hrims.errors import HrimsSyncError

LONGEST_PAUSE = 600.0
"""Seconds at most between two attempts, however many there were."""


class TryAgain(HrimsSyncError):
    """The attempt is over and the run is written down as waiting; its job goes back to the queue."""

    def __init__(self, at: datetime) -> None:
        super().__init__(f"another attempt follows at {at.isoformat(timespec='seconds')}")
        self.at = at


class GivenUp(HrimsSyncError):
    """The run is written down as failed; its job has failed with it."""


class AsTold(BaseRetryStrategy):
    """Puts a job back when, and only when, its attempt wrote down that it shall."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> Any:
        del job
        return RetryDecision(retry_at=exception.at) if isinstance(exception, TryAgain) else None


def next_attempt(failures: int, most: int, first: float, now: datetime, chance: Random) -> datetime | None:
    """When the next attempt is due after ``failures`` of them, None when ``most`` are spent.

    ``first`` seconds after the first failure, doubling, with a tenth of jitter.
    """
    if failures >= most:
        return None
    pause = min(first * 2 ** (failures - 1), LONGEST_PAUSE)
    return now + timedelta(seconds=pause * chance.uniform(0.9, 1.1))
