"""Serializers of the API. Input: a Run. Output: its JSON. Pure."""

from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from flask import url_for

from hrims.batches.progress import Member
from hrims.runs.attempts import PastAttempt
from hrims.runs.model import Run
from hrims.web.core.guard import can_use

JsonResponse = tuple[dict[str, Any], int]
"""The JSON body of a response, and its status."""


def queued(message: str, run_id: int, deduplicated: bool, **fields: str) -> JsonResponse:
    """Return the response to a request for a run: 202, or 200 if an unfinished run already exists."""
    body: dict[str, Any] = {
        "success": True,
        "message": message,
        "jobId": str(run_id),
        **fields,
        "statusUrl": url_for("api.stream.stream_run", job_id=run_id),
    }
    if deduplicated:
        return body | {"deduplicated": True}, HTTPStatus.OK
    return body, HTTPStatus.ACCEPTED


def done_or_waits(approval_id: int | None, body: dict[str, Any]) -> JsonResponse:
    """Return the response to an action: 200, or 202 and the approval if a second user must decide."""
    if approval_id is None:
        return body, HTTPStatus.OK
    return body | {
        "approvalId": approval_id,
        "approvalsUrl": url_for("api.approvals.index"),
    }, HTTPStatus.ACCEPTED


FIRST_PEOPLE = 10
"""Maximum number of people in a result."""


def status(run: Run) -> dict[str, Any]:
    """Return the state of the run: what ``job-status`` returns without progress and result."""
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
        "requestId": run.request_id,
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


def last_completed(item: Run | Member) -> dict[str, Any] | None:
    """Return the last result of the institution; None if it has none, or if this run is a result."""
    if item.last_run_id is None:
        return None
    return {
        "jobId": str(item.last_run_id),
        "outcome": item.last_outcome,
        "employeeCount": item.last_people,
        "finishedAt": time(item.last_finished_at),
    }


def progress(run: Run) -> dict[str, Any]:
    """Return the progress of the run."""
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
    """Return the result of a completed run; times are in seconds."""
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


def attempt(attempt_: PastAttempt, *, in_full: bool) -> dict[str, Any]:
    """Return one attempt; with ``in_full`` also its log and traceback."""
    fields: dict[str, Any] = {
        "number": attempt_.number,
        "startedAt": time(attempt_.started_at),
        "endedAt": time(attempt_.ended_at),
        "ended": attempt_.ended_as,
        "message": attempt_.trouble,
        "code": attempt_.trouble_code,
        "host": attempt_.host,
        "process": attempt_.pid,
    }
    if in_full:
        fields |= {"traceback": attempt_.traceback, "log": attempt_.log, "logLeftOut": attempt_.log_left_out}
    return fields


def webhook_url(url: str) -> str:
    """Return the URL of a webhook endpoint. Auditors get only scheme and host: the rest can be a secret."""
    if can_use("webhooks.create"):
        return url
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}"


def error(run: Run) -> dict[str, Any]:
    """Return why a run ended without a result."""
    return {
        "success": False,
        "jobId": str(run.id),
        "state": run.state,
        "message": run.message,
        "code": run.trouble_code or run.state,
    }


def time(at: datetime | None) -> str | None:
    """Return a timestamp in the format of the API."""
    return at.isoformat(timespec="milliseconds") if at else None
