"""When the updates of runs are published: the first change at once, then at most ten a second for each run.

Input: changed runs and times. Output: the runs that are due. Pure: the time is an argument.
"""

from collections.abc import Iterable
from typing import Final

MIN_INTERVAL: Final = 0.1
"""Minimum seconds between two updates of a run. Changes within the interval are combined."""


class UpdateThrottle:
    """The changed runs that are not published yet, and when each run was published last."""

    def __init__(self) -> None:
        self._pending: set[int] = set()
        self._published_at: dict[int, float] = {}

    def add(self, run_ids: Iterable[int]) -> None:
        """Note that runs have changed."""
        self._pending.update(run_ids)

    def take_due(self, now: float) -> set[int]:
        """Return the runs to publish now. They count as published."""
        due = {run_id for run_id in self._pending if self._due_at(run_id) <= now}
        self._pending -= due
        self._published_at = {
            run_id: at for run_id, at in self._published_at.items() if now - at < MIN_INTERVAL
        } | dict.fromkeys(due, now)
        return due

    def seconds_left(self, now: float) -> float:
        """Return the seconds until the next run is due; infinite if none has changed."""
        return max(0.0, min(map(self._due_at, self._pending), default=float("inf")) - now)

    def _due_at(self, run_id: int) -> float:
        return self._published_at.get(run_id, float("-inf")) + MIN_INTERVAL
