"""One run and its progress. Input: one row. Output: its fields and the totals that follow from them. Pure."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hrims.jobs.store import COMPLETE, UNFINISHED


@dataclass(frozen=True)
class RunRow:
    """A run with its progress. ``model.Run`` adds the messages."""

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
    request_id: str | None
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
    """People of the list that a complete run did not meet and that may be among its rejects."""
    fetch_ms: int
    save_ms: int
    note: str | None
    a_worker_lives: bool
    wait_code: str | None
    """Why it waits, a key of messages.WAITS; None if it does not wait."""
    starts_at: datetime | None
    not_asked: str | None
    probe_at: datetime | None
    pruned_at: datetime | None
    paused_by: str | None
    paused_why: str | None
    starts_per_minute: int
    quiet: str | None
    pool: str | None
    attempts: int | None
    attempt_pause: float | None
    deadline_at: datetime | None
    drift: list[dict[str, Any]]
    asked_again: int
    came_right: int
    rejected_why: str | None
    # The last result of the institution; empty if this run is a result.
    last_run_id: int | None
    last_outcome: str | None
    last_people: int | None
    last_finished_at: datetime | None

    @property
    def ended(self) -> bool:
        return self.state not in UNFINISHED

    @property
    def estimated_pages(self) -> int | None:
        """Return how many pages of the requested size the latest remote total makes: at least one.

        None before the first response, and for a run that requests single pages only.
        """
        if self.kind == "rejected" or self.remote_total is None:
            return None
        return max(1, math.ceil(self.remote_total / self.page_size))

    @property
    def current_page(self) -> int:
        """Return how many of ``estimated_pages`` are done or in progress, by the records of the first pass.

        ``pages`` counts requests instead: smaller pages and further passes make it exceed the estimate. The
        last page counts only if every record is accounted for. Without an estimate, return all pages read.
        """
        if self.estimated_pages is None:
            return self.pages
        if self.outcome in COMPLETE or (self.pages and self.accounted_for >= (self.remote_total or 0)):
            return self.estimated_pages
        in_work = math.ceil(self.accounted_for / self.page_size)
        return max(0, min(self.pages, in_work, self.estimated_pages - 1))

    @property
    def accounted_for(self) -> int:
        """Return the number of records of the first pass that were saved, rejected or repeated."""
        return self.saved + self.rejected + self.repeated

    @property
    def saved_in_all(self) -> int:
        """Return how many people the run saved.

        After a failure or cancellation this includes the people of a pass that was restarted. Until then all
        counts are those of the current pass, so that they agree with its pages.
        """
        is_broken_off = self.state in {"failed", "cancelled"}
        return max(self.saved, self.saved_before) if is_broken_off else self.saved

    @property
    def percent(self) -> int:
        """Return the percentage of records accounted for, 0 to 100.

        It is 100 only if the run has completed.
        """
        if self.state == "completed":
            return 100
        if not self.remote_total or self.kind == "rejected":
            return 0
        return max(0, min(99, 100 * self.accounted_for // self.remote_total))

    @property
    def skipped(self) -> int:
        """Return the number of records that added no person: rejects, and repeats of a person."""
        return self.rejected + (self.repeated if self.seen_twice is None else self.seen_twice)

    @property
    def fewer_than_last_complete(self) -> int:
        """Return how many fewer people this run has than the last complete run of the same list.

        0 if there is no such run, or if this run is not complete.
        """
        return max(0, (self.last_complete_people or 0) - (self.people or 0))

    @property
    def listed_twice(self) -> int:
        """Return the number of confirmed repeats: employees that HRIMS lists at another position as well."""
        return self.repeated if self.state == "completed" else 0

    @property
    def seconds(self) -> float | None:
        """Return the duration from the first attempt's start to the end; None if the run has not ended."""
        if not self.started_at or not self.finished_at:
            return None
        return round((self.finished_at - self.started_at).total_seconds(), 3)

    @property
    def partial(self) -> bool:
        """Return whether the run ended early and left saved people."""
        return self.state in {"failed", "cancelled"} and self.kind != "preview" and self.saved_in_all > 0
