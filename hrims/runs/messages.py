"""Messages for HR officers. Input: a run. Output: one sentence about its state. Pure."""

from collections.abc import Callable
from typing import Final

from hrims.jobs.store import COMPLETE
from hrims.runs.row import RunRow


def message(run: RunRow) -> str:
    """Return the sentence about the run's state."""
    describe = (_PREVIEW if run.kind == "preview" else _MESSAGES)[run.state]
    return describe(run)


WAITS: Final[dict[str, Callable[[RunRow], str]]] = {
    "no_worker": lambda run: f"Waiting: no {_worker(run)} is running.",
    "paused": lambda run: f"Waiting: {run.paused_by} paused the queue ({run.paused_why}).",
    "retry": lambda run: (
        f"Attempt {run.attempt} failed: {run.trouble} The next attempt starts automatically."
    ),
    "no_address": lambda run: (
        f"Waiting: no {_worker(run)} can reach HRIMS until an administrator sets the HRIMS connection."
    ),
    "breaker_open": lambda run: f"Waiting for HRIMS: circuit breaker open. {run.not_asked}",
    "quiet_hours": lambda run: f"Waiting for the end of the quiet hours, {run.quiet}.",
    "spread": lambda _: "Waiting: the runs of its batch start one after the other.",
    "rate_limit": lambda run: f"Waiting: at most {_runs(run.starts_per_minute)} per minute.",
    "workers_busy": lambda _: "Waiting: all workers are busy.",
    "queued": lambda _: "Waiting for a worker to start it.",
}
"""The messages of the codes of the SQL function wait_code, which decides why a run waits."""


def _waiting(run: RunRow) -> str:
    return WAITS[run.wait_code or "queued"](run)


def _worker(run: RunRow) -> str:
    return f"worker of the pool {run.pool}" if run.pool else "worker"


def _runs(count: int) -> str:
    return "1 run starts" if count == 1 else f"{count:,} runs start"


def _active(run: RunRow) -> str:
    if run.note:
        return run.note
    if run.kind == "person":
        return "Fetching this person from HRIMS."
    if run.kind == "rejected":
        return f"Fetching {_records(run.asked_again)} again: {_pages(run.pages)} read."
    if run.estimated_pages is None:
        return "Applying the preview." if run.kind == "apply" else "Fetching the first page from HRIMS."
    return f"{_read(run)}, {run.saved:,} people saved."


def _read(run: RunRow) -> str:
    """Return how much is read, in pages of the requested size."""
    return f"{run.current_page:,} of {run.estimated_pages:,} pages"


def _completed(run: RunRow, advice: str = " Run it again.") -> str:
    if run.kind in _COMPLETED:
        return _COMPLETED[run.kind](run)
    total = f"{run.remote_total or 0:,}"
    if run.outcome in COMPLETE:
        repair = " after repair" if run.outcome == "complete_after_repair" else ""
        return f"Complete{repair}: all {total} that HRIMS lists are accounted for.{_notes(run)}"
    why = " ".join(filter(None, [_describe_missing(run.missing or 0, total), run.trouble]))
    return f"Incomplete: {why or 'some people may be missing.'}{_finding(run)}{advice}"


def _describe_missing(missing: int, total: str) -> str:
    if missing == 0:
        return ""
    if missing < 0:
        return f"HRIMS sent {_more(-missing)} than its total of {total}."
    return f"{missing:,} of {total} are missing."


def _more(count: int) -> str:
    return f"{count:,} more {'record' if count == 1 else 'records'}"


def _finding(run: RunRow) -> str:
    return f" {run.page_finding}" if run.page_finding else ""


def _notes(run: RunRow) -> str:
    """Return notes about a complete run that a user should know."""
    notes = ""
    if twice := run.listed_twice:
        notes += " 1 person is listed twice." if twice == 1 else f" {twice:,} people are listed twice."
    if fewer := run.fewer_than_last_complete:
        notes += f" {fewer:,} fewer than in the last complete run."
    if unproven := run.unproven:
        people = "1 person was" if unproven == 1 else f"{unproven:,} people were"
        notes += f" {people} not found and may be among the rejected records; they do not count as missing."
    return notes + _finding(run)


def _completed_person(run: RunRow) -> str:
    if run.rejected:
        why = f" {run.rejected_why}" if run.rejected_why else ""
        return f"The HRIMS record of this person cannot be saved; nothing was changed.{why}"
    return "Complete: the HRIMS record of this person is saved."


def _asked_again(run: RunRow) -> str:
    """Return the result of a run that repeats the requests for rejects.

    It states nothing about the rest of the institution.
    """
    still = run.asked_again - run.came_right - (run.missing or 0)
    parts = [f"{run.came_right:,} corrected", f"{still:,} still rejected"]
    if run.missing:
        parts.append(f"{run.missing:,} not found where last seen, and left open")
    advice = " Fetch the whole institution to find them." if run.missing else ""
    return f"Fetched {_records(run.asked_again)} again: {', '.join(parts)}.{advice}"


def _records(count: int) -> str:
    return f"{count:,} rejected {'record' if count == 1 else 'records'}"


def _pages(count: int) -> str:
    return "1 page" if count == 1 else f"{count:,} pages"


def _failed(run: RunRow) -> str:
    if run.kind == "person":
        return f"Failed: {run.trouble} Nothing was changed."
    return f"Failed: {_error(run)} {_saved(run, 'so far')}"


def _error(run: RunRow) -> str | None:
    """Return why a run of an institution failed. The message names an identifier that HRIMS does not know."""
    if run.trouble_code != "remote_unknown":
        return run.trouble
    number = f"{'TIN' if run.identifier_type == 'tin' else 'vote code'} {run.identifier}"
    return f"HRIMS does not know the {number} of {run.institution}. Check the number on the register."


def _cancelled(run: RunRow) -> str:
    if run.kind == "person" and not run.saved_in_all:
        return "Cancelled. Nothing was changed."
    return f"Cancelled. {_saved(run, 'until then')}"


def _saved(run: RunRow, when: str) -> str:
    """Return which saved people stay after a failure or a cancellation."""
    if not run.saved_in_all:
        return "No employee was saved."
    if run.saved_in_all == 1:
        return f"The person saved {when} stays."
    return f"The {run.saved_in_all:,} people saved {when} stay."


_COMPLETED = {"person": _completed_person, "rejected": _asked_again}
"""Completion messages of the runs that read no whole list."""

_MESSAGES = {
    "waiting": _waiting,
    "delayed": _waiting,
    "active": _active,
    "completed": _completed,
    "failed": _failed,
    "cancelled": _cancelled,
}


_A_PREVIEW = "It was a preview; nothing was changed."


def _preview_active(run: RunRow) -> str:
    if run.note or run.estimated_pages is None:
        return _active(run)
    return f"{_read(run)}, {run.saved:,} people fetched. Nothing is saved as yet."


def _preview_completed(run: RunRow) -> str:
    return f"Preview. {_completed(run, advice='')} Nothing was changed by it."


_PREVIEW = {
    **_MESSAGES,
    "active": _preview_active,
    "completed": _preview_completed,
    "failed": lambda run: f"Failed: {_error(run)} {_A_PREVIEW}",
    "cancelled": lambda _: f"Cancelled. {_A_PREVIEW}",
}
