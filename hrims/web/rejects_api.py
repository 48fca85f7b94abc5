"""The API of rejects across runs: their list, and asking again for those of a listing."""

from datetime import datetime
from typing import Any

from flask import Blueprint, request

from hrims.rejects.asking import ask_again
from hrims.rejects.listing import Case, Filter
from hrims.web.api import Answer, body, institution_id_of, queued
from hrims.web.guard import actor
from hrims.web.parts import pool

blueprint = Blueprint("rejects_api", __name__, url_prefix="/api/hrims")

PARAMS = {
    "institution": "institutionId",
    "type": "identifierType",
    "code": "code",
    "state": "state",
    "page": "page",
    "per_page": "pageSize",
}
"""The filter's parameters, as the API calls them."""


@blueprint.get("/rejects")
def rejects() -> dict[str, Any]:
    """The rejects that the filter finds, a page of them; pages count from 1."""
    with pool().connection() as conn:
        found = Filter.read(request.args, conn, PARAMS)
        return {
            "success": True,
            "rejects": [_shown(case) for case in found.cases],
            "page": found.page,
            "pageSize": found.per_page,
            "pages": found.pages,
            "total": found.total,
            "counts": found.states,
        }


@blueprint.post("/institutions/<institution_id>/ask-again")
def again(institution_id: str) -> Answer:
    """Queues a run that asks again for the rejected of a listing: 202, or 200 with the one under way."""
    wish = body()
    with pool().connection() as conn:
        asked = ask_again(conn, actor(), institution_id_of(institution_id), wish.get("identifierType", ""))
    said = "is under way already" if asked.deduplicated else "is queued"
    words = f"The run that asks again for the rejected of {asked.institution} {said}."
    return queued(words, asked.run_id, asked.deduplicated, institutionName=asked.institution)


def _shown(case: Case) -> dict[str, Any]:
    return {
        "id": case.id,
        "institutionId": case.institution_id,
        "institutionName": case.institution,
        "identifierType": case.identifier_type,
        "state": case.state,
        "code": case.code,
        "field": case.field,
        "reason": case.reason,
        "advice": case.told.advice,
        "masked": case.masked,
        "name": case.name,
        "payrollNumber": case.payroll_number,
        "workplace": case.workplace,
        "record": case.record,
        "lastPage": {"size": case.page_size, "number": case.page_number, "position": case.position},
        "times": case.times,
        "firstSeen": {"jobId": str(case.first_run_id), "at": _time(case.first_seen_at)},
        "lastSeen": {"jobId": str(case.last_run_id), "at": _time(case.last_seen_at)},
        "closed": {"jobId": str(case.closed_run_id), "at": _time(case.closed_at)} if case.closed_at else None,
    }


def _time(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")
