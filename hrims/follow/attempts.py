"""An attempt as those see it who follow a run: one row comes in, words go out. Pure."""

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
"""How an attempt ended, in words."""


@dataclass(frozen=True)
class Attempt:
    """One execution of a run's job. ``traceback`` and ``log`` are for administrators; ``log_left_out`` lines
    came before those of ``log``.
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
        """How it ended."""
        return ENDED[self.ended_as]

    @property
    def seconds(self) -> float | None:
        """How long it took; None while it is under way."""
        return None if self.ended_at is None else round((self.ended_at - self.started_at).total_seconds(), 1)
