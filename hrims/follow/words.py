"""How a run stands, in one sentence for an HR officer: a run comes in, words go out. Pure."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hrims.follow.progress import Run


def message(run: "Run") -> str:
    """The sentence."""
    words = (_PREVIEW if run.kind == "preview" else _MESSAGES)[run.state]
    return words(run)


def _waiting(run: "Run") -> str:
    if not run.a_worker_lives:
        which = f"worker of the pool {run.pool}" if run.pool else "worker"
        return f"Waiting: no {which} is running. It starts by itself as soon as one is."
    if run.paused_by:
        return _paused(run)
    if run.not_asked and run.kind != "apply":
        return f"Waiting: HRIMS is not asked just now. {run.not_asked} It goes on by itself."
    return _waiting_for_its_time(run)


def _waiting_for_its_time(run: "Run") -> str:
    if run.quiet:
        return f"Waiting: it was asked for with quiet hours, {run.quiet}, in which it does not start."
    if run.not_before:
        return "Waiting: the runs of its batch are spread over some time, and its own has not come."
    if run.starts_at:
        return f"Waiting for its turn: in any minute {_runs(run.starts_per_minute)} at most."
    if run.workers_are_busy:
        return "Waiting for a free place: the workers carry out as many runs as they can at once."
    return "Waiting for a worker to take it."


def _paused(run: "Run") -> str:
    return (
        f"Waiting: {run.paused_by} has paused the queue ({run.paused_why}). It starts when the queue goes on."
    )


def _runs(count: int) -> str:
    return "one run starts" if count == 1 else f"{count:,} runs start"


def _delayed(run: "Run") -> str:
    if run.paused_by:
        return _paused(run)
    return f"Attempt {run.attempt} failed: {run.trouble} It goes on by itself in a moment."


def _active(run: "Run") -> str:
    if run.note:
        return run.note
    if run.kind == "person":
        return "Asking HRIMS for this person."
    if run.kind == "rejected":
        return f"Asking again for {_records(run.asked_again)}: {_pages(run.pages)} read."
    if run.estimated_pages is None:
        return "Applying the preview." if run.kind == "apply" else "Asking HRIMS for the first page."
    return f"{_read(run)}, {run.saved:,} people saved."


def _read(run: "Run") -> str:
    """Return how much is read, in pages of the size asked for."""
    return f"{run.current_page:,} of {run.estimated_pages:,} pages"


def _completed(run: "Run", advice: str = " Run it again.") -> str:
    if run.kind in _COMPLETED:
        return _COMPLETED[run.kind](run)
    total = f"{run.remote_total or 0:,}"
    if run.outcome in {"complete", "complete_after_repair"}:
        repair = " after repair" if run.outcome == "complete_after_repair" else ""
        return f"Complete{repair}: all {total} that HRIMS lists are accounted for.{_notes(run)}"
    why = " ".join(filter(None, [_gap(run.missing or 0, total), run.trouble]))
    return f"Incomplete: {why or 'some people may be missing.'}{_finding(run)}{advice}"


def _gap(gap: int, total: str) -> str:
    if gap == 0:
        return ""
    if gap < 0:
        return f"HRIMS sent {_more(-gap)} than its total of {total}."
    return f"{gap:,} of {total} are missing."


def _more(count: int) -> str:
    return f"{count:,} more {'record' if count == 1 else 'records'}"


def _finding(run: "Run") -> str:
    return f" {run.page_finding}" if run.page_finding else ""


def _notes(run: "Run") -> str:
    """What a person should know of a complete run."""
    notes = ""
    if twice := run.listed_twice:
        notes += " 1 person is listed twice." if twice == 1 else f" {twice:,} people are listed twice."
    if fewer := run.fewer_than_last_complete:
        notes += f" {fewer:,} fewer than in the last complete run."
    if unproven := run.unproven:
        who = "1 person was" if unproven == 1 else f"{unproven:,} people were"
        notes += f" {who} not met and may be among the rejected records; they do not count as missed."
    return notes + _finding(run)


def _completed_person(run: "Run") -> str:
    if run.rejected:
        why = f" {run.rejected_why}" if run.rejected_why else ""
        return f"HRIMS' record of this person cannot be kept; nothing was changed.{why}"
    return "Complete: HRIMS' record of this person is saved."


def _asked_again(run: "Run") -> str:
    """Of a run that asked again for the rejected: nothing here is said of the rest of the institution."""
    still = run.asked_again - run.came_right - (run.missing or 0)
    parts = [f"{run.came_right:,} came right", f"{still:,} still rejected"]
    if run.missing:
        parts.append(f"{run.missing:,} not found where last seen, and left open")
    advice = " Fetch the whole institution to find them." if run.missing else ""
    return f"Asked again for {_records(run.asked_again)}: {', '.join(parts)}.{advice}"


def _records(count: int) -> str:
    return f"{count:,} rejected {'record' if count == 1 else 'records'}"


def _pages(count: int) -> str:
    return "1 page" if count == 1 else f"{count:,} pages"


def _failed(run: "Run") -> str:
    if run.kind == "person":
        return f"Failed: {run.trouble} Nothing was changed."
    return f"Failed: {_trouble(run)} {_saved(run, 'so far')}"


def _trouble(run: "Run") -> str | None:
    """Return why a run of an institution failed; a number that HRIMS does not know is named."""
    if run.trouble_code != "remote_unknown":
        return run.trouble
    number = f"{'TIN' if run.identifier_type == 'tin' else 'vote code'} {run.identifier}"
    return f"HRIMS does not know the {number} of {run.institution}. Check the number on the register."


def _cancelled(run: "Run") -> str:
    if run.kind == "person" and not run.saved_in_all:
        return "Cancelled. Nothing was changed."
    return f"Cancelled. {_saved(run, 'until then')}"


def _saved(run: "Run", when: str) -> str:
    """What stays of a run that did not come to its end."""
    if not run.saved_in_all:
        return "Nobody was saved."
    if run.saved_in_all == 1:
        return f"The person saved {when} stays."
    return f"The {run.saved_in_all:,} people saved {when} stay."


_COMPLETED = {"person": _completed_person, "rejected": _asked_again}
"""How runs that bring no whole listing say that they have ended."""

_MESSAGES = {
    "waiting": _waiting,
    "delayed": _delayed,
    "active": _active,
    "completed": _completed,
    "failed": _failed,
    "cancelled": _cancelled,
}


_A_PREVIEW = "It was a preview; nothing was changed."


def _preview_active(run: "Run") -> str:
    if run.note or run.estimated_pages is None:
        return _active(run)
    return f"{_read(run)}, {run.saved:,} people fetched. Nothing is saved as yet."


def _preview_completed(run: "Run") -> str:
    return f"Preview. {_completed(run, advice='')} Nothing was changed by it."


_PREVIEW = {
    **_MESSAGES,
    "active": _preview_active,
    "completed": _preview_completed,
    "failed": lambda run: f"Failed: {_trouble(run)} {_A_PREVIEW}",
    "cancelled": lambda _: f"Cancelled. {_A_PREVIEW}",
}
