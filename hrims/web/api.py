"""The JSON API: requests of machines come in; answers in the shapes of ``answers`` go out."""

import json
from http import HTTPStatus
from typing import Any

from flask import Blueprint, request, url_for

from hrims.errors import InvalidInput, NotFound
from hrims.follow import store
from hrims.follow.progress import Run
from hrims.jobs import ask, control
from hrims.jobs.attempts import patience
from hrims.jobs.starts import decide
from hrims.jobs.starts.priorities import NORMAL, check_priority
from hrims.numbers import LARGEST, whole
from hrims.register import store as register
from hrims.web import answers
from hrims.web.guard import actor, is_administrator
from hrims.web.parts import pool

blueprint = Blueprint("api", __name__, url_prefix="/api/hrims")

MOST_ATTEMPTS = 100
"""Attempts that one answer holds."""

Answer = tuple[dict[str, Any], int]


@blueprint.get("/institutions")
def institutions() -> dict[str, Any]:
    """The register."""
    with pool().connection() as conn:
        rows = register.institutions(conn)
    return {
        "institutions": [
            {"id": row.id, "name": row.name, "voteNumber": row.vote_code, "tinNumber": row.tin}
            for row in rows
        ]
    }


@blueprint.post("/fetch-by-institution")
def fetch_by_institution() -> Answer:
    """Queues a run, or with ``preview`` one that only shows what it would change: 202, or 200 with the run
    that is under way.
    """
    wish = _wish(body())
    with pool().connection() as conn:
        asked = ask.ask(conn, actor(), **wish)
    words = "is under way already" if asked.deduplicated else "is queued"
    more = {"institutionName": asked.institution}
    if wish["kind"] == "preview":
        more["previewUrl"] = url_for("previews_api.show", job_id=asked.run_id)
    return queued(f"The run for {asked.institution} {words}.", asked.run_id, asked.deduplicated, **more)


@blueprint.get("/job-status/<job_id>")
def job_status(job_id: str) -> dict[str, Any]:
    """How a run stands, with its progress and, when it has ended, its result or error."""
    with pool().connection() as conn:
        run = find(conn, job_id)
        people = store.first_people(conn, run.id, answers.FIRST_PEOPLE) if run.outcome else []
    return {
        "success": True,
        **answers.status(run),
        "progress": answers.progress(run),
        "result": answers.result(run, people) if run.outcome else None,
        "drift": run.drift,
        "error": answers.failure(run) if run.ended and not run.outcome else None,
    }


@blueprint.post("/jobs/<job_id>/cancel")
def cancel(job_id: str) -> dict[str, Any]:
    """Ends a run under way; what it saved stays."""
    with pool().connection() as conn:
        control.cancel(conn, actor(), find(conn, job_id).id)
        return {"success": True, **answers.status(find(conn, job_id))}


@blueprint.post("/jobs/<job_id>/priority")
def priority(job_id: str) -> dict[str, Any]:
    """Makes a run that waits ``urgent``, ``normal`` or ``low``."""
    wish = body().get("priority")
    with pool().connection() as conn:
        decide.prioritise(conn, actor(), find(conn, job_id).id, wish)
        return {"success": True, **answers.status(find(conn, job_id))}


@blueprint.post("/jobs/<job_id>/retry")
def retry(job_id: str) -> Answer:
    """Gives a failed or cancelled run a full set of attempts; it goes on from its checkpoint. With ``afresh``
    another run begins anew in its place.
    """
    wants = body().get("afresh", False) if request.get_data() else False
    if not isinstance(wants, bool):
        raise InvalidInput("afresh must be true or false. Nothing was queued.", "bad_afresh")
    with pool().connection() as conn:
        run = find(conn, job_id)
        if wants:
            asked = control.start_afresh(conn, actor(), run.id)
            words = f"A new run for {asked.institution} is queued."
            return queued(words, asked.run_id, asked.deduplicated, institutionName=asked.institution)
        control.retry(conn, actor(), run.id)
        return {"success": True, **answers.status(find(conn, job_id))}, HTTPStatus.ACCEPTED


@blueprint.get("/jobs/<job_id>/attempts")
def attempts(job_id: str) -> dict[str, Any]:
    """Every attempt at a run, the latest first; administrators see what each logged and where it stopped."""
    with pool().connection() as conn:
        made = store.attempts(conn, find(conn, job_id).id, MOST_ATTEMPTS)
    return {"success": True, "attempts": [answers.attempt(one, in_full=is_administrator()) for one in made]}


def queued(message: str, run_id: int, deduplicated: bool, **more: str) -> Answer:
    """What a wish for a run is answered with: 202, or 200 with the run that is under way."""
    answer: dict[str, Any] = {
        "success": True,
        "message": message,
        "jobId": str(run_id),
        **more,
        "statusUrl": url_for("stream.sync_status", job_id=run_id),
    }
    if deduplicated:
        return answer | {"deduplicated": True}, HTTPStatus.OK
    return answer, HTTPStatus.ACCEPTED


def find(conn: Any, job_id: str) -> Run:
    """The run with this id. Raises InvalidInput for what is no id, NotFound for an unknown one."""
    number = whole(job_id)
    if not number:
        raise InvalidInput("A job id is a whole number.", "bad_job_id")
    run = store.read(conn, number)
    if not run:
        raise NotFound("There is no job with this id.", "unknown_job")
    return run


def body() -> dict[str, Any]:
    """The request's JSON object. Raises InvalidInput for anything else."""
    try:
        given = json.loads(request.get_data())
    except (ValueError, RecursionError):
        raise InvalidInput("The body is not JSON. Nothing was changed.", "not_json") from None
    if not isinstance(given, dict):
        raise InvalidInput("The body must be a JSON object. Nothing was changed.", "not_json")
    if b"\\u0000" in request.get_data():
        raise InvalidInput("The body holds a sign that no text has (NUL). Nothing was changed.", "not_json")
    return given


def _wish(given: dict[str, Any]) -> dict[str, Any]:
    ask.check_identifier_type(given.get("identifierType"))
    ask.check_page_size(given.get("pageSize", ask.PAGE_SIZE))
    field = "voteNumber" if given["identifierType"] == "votecode" else "tinNumber"
    identifier = given.get(field)
    if not isinstance(identifier, str) or not identifier.strip():
        raise InvalidInput(
            f"{field} is missing: give it as text, leading zeros kept. Nothing was queued.",
            "missing_identifier",
        )
    return {
        "institution_id": institution_id_of(given.get("institutionId")),
        "identifier_type": given["identifierType"],
        "identifier": identifier.strip(),
        "page_size": given.get("pageSize", ask.PAGE_SIZE),
        "priority": check_priority(given.get("priority", NORMAL)),
        "kind": _kind(given.get("preview", False)),
        "patience": patience.check(
            given.get("attempts"), given.get("attemptPause"), given.get("deadlineMinutes")
        ),
    }


def _kind(preview: object) -> str:
    if not isinstance(preview, bool):
        raise InvalidInput("preview must be true or false. Nothing was queued.", "bad_preview")
    return "preview" if preview else "sync"


def institution_id_of(given: object) -> int:
    """The id of an institution, given as a number or as digits. Raises InvalidInput."""
    if isinstance(given, str):
        given = whole(given)
    if isinstance(given, bool) or not isinstance(given, int) or not 0 < given <= LARGEST:
        raise InvalidInput(
            "institutionId must be the id of an institution on the register. Nothing was queued.",
            "bad_institution_id",
        )
    return given
