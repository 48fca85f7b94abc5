"""The progress of a batch. Input: counts. Output: percent, estimated end and messages. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hrims.jobs.store import UNFINISHED

STATES = ("waiting", "active", "complete", "incomplete", "failed", "cancelled", "skipped")
"""The states of a member, in the order in which a page shows them."""

SKIPPED = {
    "no_identifier": "the register has {} for it",
    "busy": "it had a run of another kind under way",
}
"""Why an institution was skipped."""

MISSING_IDENTIFIERS = {None: "neither vote code nor TIN", "votecode": "no vote code", "tin": "no TIN"}
"""The missing identifier, by the requested identifier type."""

MIN_SHARE = 0.02
"""The share of a batch that must be done before the end is estimated from its pace."""


@dataclass(frozen=True)
class Total:
    """The totals of a batch. ``done`` adds up the fraction of each run that is done, 0 to 1."""

    institutions: int
    skipped: int
    joined: int
    waiting: int
    active: int
    complete: int
    incomplete: int
    failed: int
    cancelled: int
    people: int
    done: float
    own_under_way: int
    slowest_end_at: datetime | None
    began_at: datetime | None
    last_start_at: datetime | None
    is_paused: bool
    now: datetime

    @property
    def runs(self) -> int:
        """Return the number of runs, including unfinished runs that the batch joined."""
        return self.institutions - self.skipped

    @property
    def ended(self) -> bool:
        return not self.waiting and not self.active

    @property
    def percent(self) -> int:
        """Return the progress from 0 to 100. It is 100 only when every run has ended."""
        if self.ended:
            return 100
        return min(99, int(100 * self.done / self.runs)) if self.runs else 100

    @property
    def done_at(self) -> datetime | None:
        """Return when the last run is expected to end.

        The estimate uses the pace so far, and is never before the start of the last run. It is None before a
        pace is known, and while runs wait in a paused queue.
        """
        if self.is_paused and self.waiting:
            return None
        if self.ended or not self.began_at or not self.runs:
            return None
        share = self.done / self.runs
        if share < MIN_SHARE:
            return None
        left = (self.now - self.began_at) * ((1 - share) / share)
        paced = self.now + min(left, timedelta(days=365))
        return max(at for at in (paced, self.last_start_at, self.slowest_end_at) if at)

    @property
    def message(self) -> str:
        """Return the progress in one sentence."""
        if not self.runs:
            return "No institution has a run."
        if self.ended:
            return f"Done: {self._count_outcomes()}. {self.people:,} people."
        ended = self.runs - self.waiting - self.active
        return f"{ended:,} of {_count(self.runs, 'run')} ended; {self.people:,} people saved."

    def _count_outcomes(self) -> str:
        parts = [
            f"{count:,} {noun}"
            for noun, count in (
                ("complete", self.complete),
                ("incomplete", self.incomplete),
                ("failed", self.failed),
                ("cancelled", self.cancelled),
            )
            if count
        ]
        return ", ".join(parts)


@dataclass(frozen=True)
class Member:
    """An institution of a batch with its run, if it has one.

    The ``last_`` fields are the last result of the institution; they are empty if this run is a result.
    """

    institution_id: int
    institution: str
    run_id: int | None
    joined: bool
    skipped: str | None
    identifier_type: str | None
    state: str | None
    outcome: str | None
    trouble: str | None
    people: int | None
    remote_total: int | None
    last_run_id: int | None
    last_outcome: str | None
    last_people: int | None
    last_finished_at: datetime | None

    @property
    def status(self) -> str:
        """Return one of STATES."""
        if self.skipped:
            return "skipped"
        if self.state == "completed":
            return "incomplete" if self.outcome == "incomplete" else "complete"
        return "waiting" if self.state == "delayed" else self.state or "waiting"

    @property
    def detail(self) -> str:
        """Return why the member is in this state, or its progress."""
        if self.skipped:
            return f"Skipped: {SKIPPED[self.skipped].format(MISSING_IDENTIFIERS[self.identifier_type])}."
        if self.trouble and self.state not in UNFINISHED - {"delayed"} and self.status != "complete":
            return self.trouble
        if self.state == "active" and self.remote_total:
            return f"{self.people or 0:,} of {self.remote_total:,} people"
        return f"{self.people:,} people" if self.people else ""


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
