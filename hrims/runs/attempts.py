"""An attempt for the pages and the API. Input: one row. Output: its outcome as text. Pure."""

from dataclasses import dataclass
from datetime import datetime

ENDED = {
    None: "under way",
    "finished": "finished",
    "failed": "failed",
    "cancelled": "cancelled",
    "handed_back": "handed back",
    "worker_died": "its worker died",
    "superseded": "taken over",
}
"""How an attempt ended, as text."""


@dataclass(frozen=True)
class PastAttempt:
    """One execution of a run's job.

    ``traceback`` and ``log`` are for administrators. ``log_left_out`` is the number of lines dropped before
    those of ``log``.
    """

    number: int
    started_at: datetime
    ended_at: datetime | None
    host: str
    pid: int
    ended_as: str | None
    trouble: str | None
    trouble_code: str | None
    traceback: str | None
    log: list[str]
    log_left_out: int

    @property
    def word(self) -> str:
        """Return how the attempt ended."""
        return ENDED[self.ended_as]

    @property
    def seconds(self) -> float | None:
        """Return the duration in seconds; None if the attempt has not ended."""
        return None if self.ended_at is None else round((self.ended_at - self.started_at).total_seconds(), 1)
