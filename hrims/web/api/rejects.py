"""The API of rejects across runs: their list, and the retry of the rejects of a listing."""

from typing import Any

from msgspec.structs import asdict

from hrims.rejects.actions import retry_rejects
from hrims.rejects.listing import Case, RejectQuery
from hrims.web.core import requests, serializers
from hrims.web.core.app_state import pool
from hrims.web.core.bodies import RejectsRequest
from hrims.web.core.guard import actor, mask, scope
from hrims.web.core.queries import RejectsQuery
from hrims.web.core.serializers import time


def index(query: RejectsQuery) -> dict[str, Any]:
    """Return one page of the rejects that match the filter. Pages count from 1."""
    with pool().connection() as conn:
        found = RejectQuery(**asdict(query), user_scope=scope(), mask=mask(), conn=conn)
        found.record_search(actor())
        return {
            "success": True,
            "rejects": [_serialize(case) for case in found.cases],
            "page": found.page,
            "pageSize": found.page_size,
            "pages": found.pages,
            "total": found.total,
            "counts": found.states,
        }


def fetch_again(institution_id: str, body: RejectsRequest) -> serializers.JsonResponse:
    """Enqueue a run that fetches the rejects of a listing again.

    Return 202, or 200 with the unfinished one.
    """
    with pool().connection() as conn:
        result = retry_rejects(
            conn, actor(), requests.id_of(institution_id, "bad_institution_id"), body.identifier_type
        )
    state = "is under way already" if result.deduplicated else "is queued"
    message = f"The run that fetches the rejected records of {result.institution} again {state}."
    return serializers.queued(message, result.run_id, result.deduplicated, institutionName=result.institution)


def _serialize(case: Case) -> dict[str, Any]:
    return {
        "id": case.id,
        "institutionId": case.institution_id,
        "institutionName": case.institution,
        "identifierType": case.identifier_type,
        "state": case.state,
        "code": case.code,
        "field": case.field,
        "reason": case.reason,
        "advice": case.code_text.advice,
        "masked": case.masked,
        "name": case.name,
        "payrollNumber": case.payroll_number,
        "workplace": case.workplace,
        "record": case.record,
        "lastPage": {"size": case.page_size, "number": case.page_number, "position": case.position},
        "times": case.times,
        "firstSeen": {"jobId": str(case.first_run_id), "at": time(case.first_seen_at)},
        "lastSeen": {"jobId": str(case.last_run_id), "at": time(case.last_seen_at)},
        "closed": {"jobId": str(case.closed_run_id), "at": time(case.closed_at)} if case.closed_at else None,
    }
