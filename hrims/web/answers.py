"""A run as machines read it: a Run comes in, the JSON of the API's surface goes out. Pure."""

from datetime import datetime
from typing import Any

from hrims.batches.standing import Member
from hrims.follow.attempts import Attempt
from hrims.follow.progress import Run

FIRST_PEOPLE = 10
"""People that a result shows."""


def status(run: Run) -> dict[str, Any]:
    """How the run stands: what ``job-status`` answers, without progress and result."""
    return {
        "jobId": str(run.id),
        "kind": run.kind,
        "state": run.state,
        "outcome": run.outcome,
        "message": run.message,
        "institutionId": run.institution_id,
        "institutionName": run.institution,
        "identifierType": run.identifier_type,
        "pageSize": run.page_size,
        "priority": run.priority,
        "attempt": run.attempt,
        "requestedBy": run.requested_by,
        "requestedAt": time(run.requested_at),
        "startedAt": time(run.started_at),
        "finishedAt": time(run.finished_at),
        "nextTryAt": time(run.next_try_at),
        "startsAt": time(run.starts_at),
        "pool": run.pool,
        "attempts": run.attempts,
        "attemptPause": run.attempt_pause,
        "deadlineAt": time(run.deadline_at),
        "partial": run.partial,
        "lastCompleted": last_completed(run),
    }


def last_completed(one: Run | Member) -> dict[str, Any] | None:
    """Return the last result of the institution; None if it has none, or this run is a result itself."""
    if one.last_run_id is None:
        return None
    return {
        "jobId": str(one.last_run_id),
        "outcome": one.last_outcome,
        "employeeCount": one.last_people,
        "finishedAt": time(one.last_finished_at),
    }


def progress(run: Run) -> dict[str, Any]:
    """What is saved so far."""
    return {
        "type": "progress",
        "phase": run.phase,
        "message": run.message,
        "currentPage": run.current_page,
        "totalFetched": run.fetched,
        "estimatedTotal": run.remote_total,
        "estimatedPages": run.estimated_pages,
        "progressPercent": run.percent,
        "saved": run.saved_in_all,
        "skipped": run.skipped,
        "total": run.remote_total,
    }


def result(run: Run, employees: list[dict[str, Any]]) -> dict[str, Any]:
    """What a completed run came to; times are in seconds."""
    return {
        "success": run.outcome != "incomplete",
        "outcome": run.outcome,
        "message": run.message,
        "institutionName": run.institution,
        "employeeCount": run.people,
        "skippedCount": run.skipped,
        "totalFetched": run.fetched,
        "pagesFetched": run.pages,
        "fetchTime": run.fetch_ms / 1000,
        "saveTime": run.save_ms / 1000,
        "totalTime": run.seconds,
        "employees": employees,
        "new": run.new,
        "changed": run.changed,
        "unchanged": run.unchanged,
        "rejected": run.rejected,
        "unmatched": run.unmatched,
        "leavers": run.leavers,
        "leaversWaiting": run.leavers_waiting,
        "missing": max(run.missing or 0, 0),
        "surplus": max(-(run.missing or 0), 0),
        "listedTwice": run.listed_twice,
        "fewerThanLastComplete": run.fewer_than_last_complete,
        "pageFinding": run.page_finding,
    }


def attempt(one: Attempt, *, in_full: bool) -> dict[str, Any]:
    """One attempt; ``in_full`` with what it logged and where it stopped."""
    told: dict[str, Any] = {
        "number": one.number,
        "startedAt": time(one.started_at),
        "endedAt": time(one.ended_at),
        "ended": one.ended_as,
        "message": one.trouble,
        "code": one.trouble_code,
        "host": one.host,
        "process": one.pid,
    }
    if in_full:
        told |= {"traceback": one.traceback, "log": one.log, "logLeftOut": one.log_left_out}
    return told


def failure(run: Run) -> dict[str, Any]:
    """Why a run ended without a result."""
    return {
        "success": False,
        "jobId": str(run.id),
        "state": run.state,
        "message": run.message,
        "code": run.trouble_code or run.state,
    }


def time(at: datetime | None) -> str | None:
    """A moment as the API writes it."""
    return at.isoformat(timespec="milliseconds") if at else None
