"""A run as those see it who follow it: one row comes in; states and sums go out, and words. Pure."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hrims.drift.rules import told
from hrims.follow import words
from hrims.jobs.store import UNDER_WAY

COMPLETE = frozenset({"complete", "complete_after_repair"})
"""Outcomes of a run that accounts for every record."""


@dataclass(frozen=True)
class Run:
    """A run with its progress, as everybody who follows it sees it."""

    id: int
    kind: str
    of_run_id: int | None
    institution_id: int | None
    institution: str
    identifier_type: str
    identifier: str
    page_size: int
    priority: str
    state: str
    outcome: str | None
    attempt: int
    requested_by: str
    requested_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    next_try_at: datetime | None
    trouble: str | None
    trouble_code: str | None
    people: int | None
    seen_twice: int | None
    missing: int | None
    last_complete_people: int | None
    page_finding: str | None
    phase: str
    remote_total: int | None
    pages: int
    fetched: int
    saved: int
    saved_before: int
    new: int
    changed: int
    unchanged: int
    rejected: int
    repeated: int
    unmatched: int
    leavers: int
    leavers_waiting: int
    unproven: int
    """People of the list whom a complete run did not meet, and who may be among its rejects."""
    fetch_ms: int
    save_ms: int
    note: str | None
    a_worker_lives: bool
    workers_are_busy: bool
    not_asked: str | None
    pruned_at: datetime | None
    paused_by: str | None
    paused_why: str | None
    starts_per_minute: int
    starts_at: datetime | None
    not_before: datetime | None
    quiet: str | None
    pool: str | None
    attempts: int | None
    attempt_pause: float | None
    deadline_at: datetime | None
    drift: list[dict[str, Any]]
    asked_again: int
    came_right: int
    rejected_why: str | None
    # The last result of its institution, unless this run is a result itself.
    last_run_id: int | None
    last_outcome: str | None
    last_people: int | None
    last_finished_at: datetime | None

    @property
    def ended(self) -> bool:
        return self.state not in UNDER_WAY

    @property
    def estimated_pages(self) -> int | None:
        """Return how many pages of the size asked for the remote's latest total makes: at least one.

        None before the first answer, and for a run that asks for some pages alone.
        """
        if self.kind == "rejected" or self.remote_total is None:
            return None
        return max(1, math.ceil(self.remote_total / self.page_size))

    @property
    def current_page(self) -> int:
        """Return how many of ``estimated_pages`` are done or in work, by the records of the first pass.

        ``pages`` counts requests instead: smaller pages and further passes make it exceed the estimate. The
        last page counts only when every record is accounted for. Without an estimate, all pages read.
        """
        if self.estimated_pages is None:
            return self.pages
        if self.outcome in COMPLETE or (self.pages and self.accounted_for >= (self.remote_total or 0)):
            return self.estimated_pages
        in_work = math.ceil(self.accounted_for / self.page_size)
        return max(0, min(self.pages, in_work, self.estimated_pages - 1))

    @property
    def accounted_for(self) -> int:
        """Return the records of the first pass: saved, rejected or repeated."""
        return self.saved + self.rejected + self.repeated

    @property
    def saved_in_all(self) -> int:
        """Return the people that the run saved, also in a pass that started again, once it failed or was
        cancelled. Until then all counts are those of the pass, so that they agree with its pages.
        """
        is_broken_off = self.state in {"failed", "cancelled"}
        return max(self.saved, self.saved_before) if is_broken_off else self.saved

    @property
    def percent(self) -> int:
        """Return 0 to 100 of the records accounted for; 100 only when the run has completed."""
        if self.state == "completed":
            return 100
        if not self.remote_total or self.kind == "rejected":
            return 0
        return max(0, min(99, 100 * self.accounted_for // self.remote_total))

    @property
    def skipped(self) -> int:
        """Records that added nobody: rejects, and people seen twice."""
        return self.rejected + (self.repeated if self.seen_twice is None else self.seen_twice)

    @property
    def fewer_than_last_complete(self) -> int:
        """How many fewer people than the last complete run of the same list; 0 if none, or not complete."""
        return max(0, (self.last_complete_people or 0) - (self.people or 0))

    @property
    def listed_twice(self) -> int:
        """Records of employees that HRIMS lists again at another position, which it confirmed."""
        return self.repeated if self.state == "completed" else 0

    @property
    def seconds(self) -> float | None:
        """From the first attempt's start to the end, None while it is under way."""
        if not self.started_at or not self.finished_at:
            return None
        return round((self.finished_at - self.started_at).total_seconds(), 3)

    @property
    def partial(self) -> bool:
        """Whether it ended before its time and left what it had saved until then."""
        return self.state in {"failed", "cancelled"} and self.kind != "preview" and self.saved_in_all > 0

    @property
    def word(self) -> str:
        """How the run stands, in a word or two; asking for some pages alone completes no listing."""
        if self.kind == "rejected" and self.outcome:
            return "asked again"
        word = (self.outcome or self.state).replace("_", " ")
        return f"{word}, partial" if self.partial else word

    @property
    def drifted(self) -> str | None:
        """What has changed in HRIMS' answers since the run before, in one sentence; None if nothing has."""
        return told([one["message"] for one in self.drift]) if self.drift else None

    @property
    def message(self) -> str:
        """How the run stands, in one sentence for an HR officer."""
        return words.message(self)
