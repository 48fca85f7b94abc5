"""The retry policy of a run: number of attempts, pause after the first failure, deadline.

Input: values from a user or machine. Output: the policy to save with the run, and whether its deadline has
passed. Pure except for the clock.
"""

import math
import time
from typing import Annotated, Final, NamedTuple

from msgspec import Meta

from hrims.errors import HrimsSyncError

Attempts = Annotated[int, Meta(ge=1, le=50)]
AttemptPause = Annotated[float, Meta(ge=0, le=3600, extra={"expected": "seconds from 0 to 3,600"})]
DeadlineMinutes = Annotated[int, Meta(ge=1, le=43_200)]
"""At most thirty days."""


class RetryPolicy(NamedTuple):
    """The retry policy of one run or institution. None falls back from run to institution to settings.

    ``jobs.store.insert_run`` applies the institution's policy, ``jobs.attempts.attempt`` the settings.
    ``attempt_pause`` is in seconds, ``deadline_minutes`` count from the request for the run.
    """

    attempts: int | None = None
    attempt_pause: float | None = None
    deadline_minutes: int | None = None


DEFAULT_POLICY: Final = RetryPolicy()
"""The policy that leaves everything to the institution or the settings."""


class DeadlinePassed(HrimsSyncError):
    """The run was not done by its deadline."""

    code = "deadline"
    is_retryable = False


class Deadline:
    """The deadline of a run, by the monotonic clock of this process."""

    def __init__(self, seconds_left: float | None) -> None:
        self._until = math.inf if seconds_left is None else time.monotonic() + seconds_left

    def has_left(self, seconds: float) -> bool:
        """Return whether more than ``seconds`` seconds are left."""
        return self._until - time.monotonic() > seconds

    def check(self) -> None:
        """Raise DeadlinePassed if the deadline has passed."""
        if time.monotonic() >= self._until:
            raise DeadlinePassed("It was not done by its deadline.")
