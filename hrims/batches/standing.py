"""How a batch stands: counts come in; per cent, the time at which it will be done, and words go out. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from hrims.jobs.store import UNDER_WAY

STATES = ("waiting", "active", "complete", "incomplete", "failed", "cancelled", "skipped")
"""How a member may stand, in the order in which a page shows them."""

SKIPPED = {
    "no_identifier": "the register has {} for it",
    "busy": "it had a run of another kind under way",
}
"""Why an institution was left out."""

NUMBERS = {None: "neither vote code nor TIN", "votecode": "no vote code", "tin": "no TIN"}
"""What is missing, by the number that was to be asked by."""

ENOUGH = 0.02
"""Share that must be done before its pace foretells the end."""


@dataclass(frozen=True)
class Total:
    """A batch as a whole; ``done`` counts each run as the part of it that is done, 0 to 1."""

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
        """Runs that it has, its own and those that were under way."""
        return self.institutions - self.skipped

    @property
    def ended(self) -> bool:
        return not self.waiting and not self.active

    @property
    def percent(self) -> int:
        """0 to 100; 100 only when every run has ended."""
        if self.ended:
            return 100
        return min(99, int(100 * self.done / self.runs)) if self.runs else 100

    @property
    def done_at(self) -> datetime | None:
        """About when the last run will end: at the pace so far, and not before the last one starts. None
        before there is a pace, and while runs wait in a paused queue.
        """
        if self.is_paused and self.waiting:
            return None
        if self.ended or not self.began_at or not self.runs:
            return None
        share = self.done / self.runs
        if share < ENOUGH:
            return None
        left = (self.now - self.began_at) * ((1 - share) / share)
        paced = self.now + min(left, timedelta(days=365))
        return max(at for at in (paced, self.last_start_at, self.slowest_end_at) if at)

    @property
    def message(self) -> str:
        """In one sentence."""
        if not self.runs:
            return "No institution could be asked for."
        if self.ended:
            return f"Done: {self._became()}. {self.people:,} people."
        over = self.runs - self.waiting - self.active
        return f"{over:,} of {_count(self.runs, 'run')} ended; {self.people:,} people saved."

    def _became(self) -> str:
        parts = [
            f"{count:,} {word}"
            for word, count in (
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
    """An institution of a batch, and the run that brings it, if any; and the last result of the institution,
    unless this run is one.
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
    def stands(self) -> str:
        """One of STATES."""
        if self.skipped:
            return "skipped"
        if self.state == "completed":
            return "incomplete" if self.outcome == "incomplete" else "complete"
        return "waiting" if self.state == "delayed" else self.state or "waiting"

    @property
    def words(self) -> str:
        """Why it stands so, or how far it is."""
        if self.skipped:
            return f"Skipped: {SKIPPED[self.skipped].format(NUMBERS[self.identifier_type])}."
        if self.trouble and self.state not in UNDER_WAY - {"delayed"} and self.stands != "complete":
            return self.trouble
        if self.state == "active" and self.remote_total:
            return f"{self.people or 0:,} of {self.remote_total:,} people"
        return f"{self.people:,} people" if self.people else ""


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}" if number == 1 else f"{number:,} {word}s"
