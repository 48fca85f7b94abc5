"""The API of runs, which it calls jobs, and of the register."""

from http import HTTPStatus
from typing import Any, Literal

from flask import url_for
from msgspec import UNSET, UnsetType

from hrims.access.permissions import Permission
from hrims.institutions import store as institution_store
from hrims.jobs import control, enqueue
from hrims.jobs.rate_limit import actions
from hrims.runs import store
from hrims.runs.attempts import PastAttempt
from hrims.web.api.action_bodies import Queued, build_queued
from hrims.web.api.enumerations import AttemptEnd
from hrims.web.api.run_bodies import Progress, Result, RunChanged, RunError, RunStatus
from hrims.web.core import lookups
from hrims.web.core.app_state import pool
from hrims.web.core.bodies import PriorityRequest, RepeatRequest, RunRequest
from hrims.web.core.guard import actor, can, mask, scope
from hrims.web.core.responses import AcceptedOrDone, ResponseBody, SuccessBody, Timestamp
from hrims.web.core.serializers import time, timestamp

MAX_ATTEMPTS = 100
"""Attempts in one response."""


class InstitutionBody(ResponseBody):
    """An institution of the register."""

    id: int
    name: str
    vote_number: str | None
    tin_number: str | None


class Register(ResponseBody):
    """The institutions that the client may see."""

    institutions: list[InstitutionBody]


class JobStatus(RunStatus, kw_only=True):
    """A run with its progress, and when it has ended its result or error."""

    success: Literal[True] = True
    progress: Progress
    result: Result | None
    drift: list[dict[str, Any]]
    error: RunError | None


class AttemptBody(ResponseBody):
    """One attempt at a run. Only administrators get its log and traceback."""

    number: int
    started_at: Timestamp
    ended_at: Timestamp | None
    ended: AttemptEnd | None
    message: str | None
    code: str | None
    host: str
    process: int
    traceback: str | UnsetType | None = UNSET
    log: list[str] | UnsetType = UNSET
    log_left_out: int | UnsetType = UNSET


class Attempts(SuccessBody):
    """The attempts at a run, latest first."""

    attempts: list[AttemptBody]


def list_institutions() -> Register:
    """Return the register."""
    with pool().connection() as conn:
        rows = institution_store.list_institutions(conn, scope())
    return Register([InstitutionBody(row.id, row.name, row.vote_code, row.tin) for row in rows])


def fetch_by_institution(body: RunRequest) -> AcceptedOrDone[Queued]:
    """Enqueue a run; with ``preview`` a run that only shows what it would change.

    Return 202, or 200 with the unfinished run that already exists.
    """
    with pool().connection() as conn:
        result = enqueue.enqueue_run(
            conn,
            actor(),
            institution_id=body.institution_id,
            identifier_type=body.identifier_type,
            identifier=body.identifier,
            page_size=body.page_size,
            priority=body.priority,
            kind="preview" if body.preview else "sync",
            retry_policy=body.retry_policy,
        )
    state = "is under way already" if result.deduplicated else "is queued"
    return build_queued(
        f"The run for {result.institution} {state}.",
        result.run_id,
        result.deduplicated,
        institution=result.institution,
        preview_url=url_for("api.previews.show", job_id=result.run_id) if body.preview else None,
    )


def show_status(job_id: str) -> JobStatus:
    """Return the state of a run with its progress; when it has ended also its result or error."""
    with pool().connection() as conn:
        run = lookups.find_run(conn, job_id)
        people = store.list_first_people(conn, scope(), run.id, store.FIRST_PEOPLE) if run.outcome else []
    return JobStatus.of(
        run,
        progress=Progress.of(run),
        result=Result.of(run, mask().rows(people)) if run.outcome else None,
        drift=run.drift,
        error=RunError.of(run) if run.ended and not run.outcome else None,
    )


def cancel(job_id: str) -> RunChanged:
    """Cancel an unfinished run. What it saved stays."""
    with pool().connection() as conn:
        control.cancel(conn, actor(), lookups.find_run(conn, job_id).id)
        return RunChanged.of(lookups.find_run(conn, job_id))


def set_priority(job_id: str, body: PriorityRequest) -> RunChanged:
    """Set the priority of a waiting run: ``urgent``, ``normal`` or ``low``."""
    with pool().connection() as conn:
        actions.set_priority(conn, actor(), lookups.find_run(conn, job_id).id, body.priority)
        return RunChanged.of(lookups.find_run(conn, job_id))


def retry(job_id: str, body: RepeatRequest) -> AcceptedOrDone[RunChanged | Queued]:
    """Give a failed or cancelled run a full set of attempts; it continues from its checkpoint.

    With ``afresh``, enqueue a new run without a checkpoint in its place.
    """
    with pool().connection() as conn:
        run = lookups.find_run(conn, job_id)
        if body.afresh:
            result = control.repeat_run(conn, actor(), run.id)
            message = f"A new run for {result.institution} is queued."
            return build_queued(message, result.run_id, result.deduplicated, institution=result.institution)
        control.retry(conn, actor(), run.id)
        return RunChanged.of(lookups.find_run(conn, job_id)), HTTPStatus.ACCEPTED


def list_attempts(job_id: str) -> Attempts:
    """Return every attempt at a run, latest first.

    Administrators also get the log and the traceback of each.
    """
    with pool().connection() as conn:
        attempts = store.list_attempts(conn, lookups.find_run(conn, job_id).id, MAX_ATTEMPTS)
    return Attempts([_attempt(attempt, in_full=can(Permission.MANAGE_QUEUE)) for attempt in attempts])


def _attempt(past: PastAttempt, *, in_full: bool) -> AttemptBody:
    """Return one attempt; with ``in_full`` also its log and traceback."""
    return AttemptBody(
        number=past.number,
        started_at=timestamp(past.started_at),
        ended_at=time(past.ended_at),
        ended=past.ended_as,
        message=past.trouble,
        code=past.trouble_code,
        host=past.host,
        process=past.pid,
        traceback=past.traceback if in_full else UNSET,
        log=past.log if in_full else UNSET,
        log_left_out=past.log_left_out if in_full else UNSET,
    )
