"""The API of rejects across runs: their list, and the retry of the rejects of a listing."""

from typing import Annotated

from msgspec.structs import asdict

from hrims.rejects.actions import retry_rejects
from hrims.rejects.listing import Case, RejectQuery
from hrims.web.api.action_bodies import Queued, build_queued
from hrims.web.api.enumerations import ListIdentifierType, RejectCode
from hrims.web.core import requests
from hrims.web.core.app_state import pool
from hrims.web.core.bodies import RejectsRequest
from hrims.web.core.guard import actor, mask, scope
from hrims.web.core.queries import RejectsQuery
from hrims.web.core.responses import AcceptedOrDone, JobId, ResponseBody, SuccessBody, Timestamp, choice
from hrims.web.core.serializers import timestamp


class RecordPlace(ResponseBody):
    """The page in which HRIMS sent a record, and its position there. Both count from 0, as in HRIMS."""

    size: int
    number: int
    position: int


class Sighting(ResponseBody):
    """A run that met a record, or closed it, and when."""

    job_id: JobId
    at: Timestamp


class RejectBody(ResponseBody):
    """A rejected record of a list, masked as for the client. ``record`` is its position, from 1."""

    id: int
    institution_id: int
    institution_name: str
    identifier_type: ListIdentifierType
    state: Annotated[str, choice(("open", "closed"))]
    code: RejectCode
    field: str | None
    reason: str
    advice: str
    masked: str | None
    name: str | None
    payroll_number: str | None
    workplace: str | None
    record: int
    last_page: RecordPlace
    times: int
    first_seen: Sighting
    last_seen: Sighting
    closed: Sighting | None


class Rejects(SuccessBody):
    """One page of rejects; ``counts`` has their number by state."""

    rejects: list[RejectBody]
    page: int
    page_size: int
    pages: int
    total: int
    counts: dict[str, int]


def index(query: RejectsQuery) -> Rejects:
    """Return one page of the rejects that match the filter. Pages count from 1."""
    with pool().connection() as conn:
        found = RejectQuery(**asdict(query), user_scope=scope(), mask=mask(), conn=conn)
        found.record_search(actor())
        return Rejects(
            rejects=[_serialize(case) for case in found.cases],
            page=found.page,
            page_size=found.page_size,
            pages=found.pages,
            total=found.total,
            counts=found.states,
        )


def fetch_again(institution_id: str, body: RejectsRequest) -> AcceptedOrDone[Queued]:
    """Enqueue a run that fetches the rejects of a listing again.

    Return 202, or 200 with the unfinished one.
    """
    with pool().connection() as conn:
        result = retry_rejects(
            conn, actor(), requests.id_of(institution_id, "bad_institution_id"), body.identifier_type
        )
    state = "is under way already" if result.deduplicated else "is queued"
    message = f"The run that fetches the rejected records of {result.institution} again {state}."
    return build_queued(message, result.run_id, result.deduplicated, institution=result.institution)


def _serialize(case: Case) -> RejectBody:
    return RejectBody(
        id=case.id,
        institution_id=case.institution_id,
        institution_name=case.institution,
        identifier_type=case.identifier_type,
        state=case.state,
        code=case.code,
        field=case.field,
        reason=case.reason,
        advice=case.code_text.advice,
        masked=case.masked,
        name=case.name,
        payroll_number=case.payroll_number,
        workplace=case.workplace,
        record=case.record,
        last_page=RecordPlace(case.page_size, case.page_number, case.position),
        times=case.times,
        first_seen=Sighting(str(case.first_run_id), timestamp(case.first_seen_at)),
        last_seen=Sighting(str(case.last_run_id), timestamp(case.last_seen_at)),
        closed=Sighting(str(case.closed_run_id), timestamp(case.closed_at)) if case.closed_at else None,
    )
