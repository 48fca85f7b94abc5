"""The API of runs, which it calls jobs, and of the register. Output: the shapes of ``serializers``."""

from http import HTTPStatus
from typing import Any

from flask import url_for

from hrims.access.permissions import Permission
from hrims.institutions import store as institution_store
from hrims.jobs import control, enqueue
from hrims.jobs.rate_limit import actions
from hrims.runs import store
from hrims.web.core import lookups, serializers
from hrims.web.core.app_state import pool
from hrims.web.core.bodies import PriorityRequest, RepeatRequest, RunRequest
from hrims.web.core.guard import actor, can, mask, scope

MAX_ATTEMPTS = 100
"""Attempts in one response."""


def list_institutions() -> dict[str, Any]:
    """Return the register."""
    with pool().connection() as conn:
        rows = institution_store.list_institutions(conn, scope())
    return {
        "institutions": [
            {"id": row.id, "name": row.name, "voteNumber": row.vote_code, "tinNumber": row.tin}
            for row in rows
        ]
    }


def fetch_by_institution(body: RunRequest) -> serializers.JsonResponse:
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
    message = "is under way already" if result.deduplicated else "is queued"
    more = {"institutionName": result.institution}
    if body.preview:
        more["previewUrl"] = url_for("api.previews.show", job_id=result.run_id)
    return serializers.queued(
        f"The run for {result.institution} {message}.", result.run_id, result.deduplicated, **more
    )


def show_status(job_id: str) -> dict[str, Any]:
    """Return the state of a run with its progress; when it has ended also its result or error."""
    with pool().connection() as conn:
        run = lookups.find_run(conn, job_id)
        people = (
            store.list_first_people(conn, scope(), run.id, serializers.FIRST_PEOPLE) if run.outcome else []
        )
    return {
        "success": True,
        **serializers.status(run),
        "progress": serializers.progress(run),
        "result": serializers.result(run, mask().rows(people)) if run.outcome else None,
        "drift": run.drift,
        "error": serializers.error(run) if run.ended and not run.outcome else None,
    }


def cancel(job_id: str) -> dict[str, Any]:
    """Cancel an unfinished run. What it saved stays."""
    with pool().connection() as conn:
        control.cancel(conn, actor(), lookups.find_run(conn, job_id).id)
        return {"success": True, **serializers.status(lookups.find_run(conn, job_id))}


def set_priority(job_id: str, body: PriorityRequest) -> dict[str, Any]:
    """Set the priority of a waiting run: ``urgent``, ``normal`` or ``low``."""
    with pool().connection() as conn:
        actions.set_priority(conn, actor(), lookups.find_run(conn, job_id).id, body.priority)
        return {"success": True, **serializers.status(lookups.find_run(conn, job_id))}


def retry(job_id: str, body: RepeatRequest) -> serializers.JsonResponse:
    """Give a failed or cancelled run a full set of attempts; it continues from its checkpoint.

    With ``afresh``, enqueue a new run without a checkpoint in its place.
    """
    with pool().connection() as conn:
        run = lookups.find_run(conn, job_id)
        if body.afresh:
            result = control.repeat_run(conn, actor(), run.id)
            message = f"A new run for {result.institution} is queued."
            return serializers.queued(
                message, result.run_id, result.deduplicated, institutionName=result.institution
            )
        control.retry(conn, actor(), run.id)
        return {"success": True, **serializers.status(lookups.find_run(conn, job_id))}, HTTPStatus.ACCEPTED


def list_attempts(job_id: str) -> dict[str, Any]:
    """Return every attempt at a run, latest first.

    Administrators also get the log and the traceback of each.
    """
    with pool().connection() as conn:
        attempts = store.list_attempts(conn, lookups.find_run(conn, job_id).id, MAX_ATTEMPTS)
    return {
        "success": True,
        "attempts": [
            serializers.attempt(attempt, in_full=can(Permission.MANAGE_QUEUE)) for attempt in attempts
        ],
    }
