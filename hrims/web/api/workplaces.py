"""The API of workplaces. Input: decisions on workplaces. Output: workplaces and institutions."""

from http import HTTPStatus

from msgspec.structs import asdict

from hrims.db import Connection
from hrims.institutions.workplaces import actions, store
from hrims.institutions.workplaces.actions import Decision
from hrims.web.api.enumerations import ListIdentifierType
from hrims.web.core import requests
from hrims.web.core.app_state import pool
from hrims.web.core.bodies import MapRequest, RegisterRequest
from hrims.web.core.guard import actor, scope
from hrims.web.core.queries import WorkplacesQuery
from hrims.web.core.responses import Created, JobId, ResponseBody, SuccessBody


class WorkplaceListing(ResponseBody):
    """A list with people of a workplace, and the first and the last run that met them."""

    institution_id: int
    institution_name: str
    identifier_type: ListIdentifierType
    identifier: str | None
    people: int
    first_job_id: JobId
    last_job_id: JobId


class Suggestion(ResponseBody):
    """An institution with a similar name. ``likeness`` is between 0 and 1."""

    institution_id: int
    institution_name: str
    likeness: float


class WorkplaceBody(ResponseBody):
    """A workplace that waits for an institution."""

    id: int
    name: str
    people: int
    listed_by: list[WorkplaceListing]
    suggestions: list[Suggestion]


class Workplaces(ResponseBody):
    """One page of the workplaces that wait. ``people`` counts those of all pages."""

    workplaces: list[WorkplaceBody]
    page: int
    page_size: int
    total: int
    people: int


class MappedWorkplace(SuccessBody):
    """A workplace with its institution, null if it has none, and the number of people that moved."""

    message: str
    workplace_id: int
    workplace_name: str
    institution_id: int | None
    institution_name: str | None
    moved: int


def index(query: WorkplacesQuery) -> Workplaces:
    """Return the workplaces that wait for an institution, those with the most people first."""
    with pool().connection() as conn:
        count = store.count_waiting(conn, scope(), query.name)
        offset = (query.page - 1) * query.page_size
        workplaces = store.list_waiting(conn, scope(), query.name, limit=query.page_size, offset=offset)
        rows = _serialize_workplaces(conn, workplaces)
    return Workplaces(rows, query.page, query.page_size, count.workplaces, count.people)


def map_institution(workplace_id: str, body: MapRequest) -> MappedWorkplace:
    """Map a workplace to an institution of the register."""
    with pool().connection() as conn:
        return _serialize_decision(
            actions.map_workplace(conn, actor(), requests.id_of(workplace_id), body.institution_id)
        )


def register(workplace_id: str, body: RegisterRequest) -> Created[MappedWorkplace]:
    """Register a workplace as a new institution, by its own name unless the body has another."""
    with pool().connection() as conn:
        decided = actions.register_workplace(conn, actor(), requests.id_of(workplace_id), **asdict(body))
    return _serialize_decision(decided), HTTPStatus.CREATED


def unmap(workplace_id: str) -> MappedWorkplace:
    """Remove the mapping of a workplace."""
    with pool().connection() as conn:
        return _serialize_decision(actions.unmap(conn, actor(), requests.id_of(workplace_id)))


def _serialize_decision(decided: Decision) -> MappedWorkplace:
    now = decided.workplace
    where = f"is mapped to {now.institution}" if now.institution else "is no longer mapped"
    return MappedWorkplace(
        message=f"“{now.name}” {where}. People moved: {decided.moved:,}.",
        workplace_id=now.id,
        workplace_name=now.name,
        institution_id=now.institution_id,
        institution_name=now.institution,
        moved=decided.moved,
    )


def _serialize_workplaces(conn: Connection, workplaces: list[store.Workplace]) -> list[WorkplaceBody]:
    ids = [workplace.id for workplace in workplaces]
    listed = store.find_listings(conn, scope(), ids)
    suggestions = store.find_suggestions(conn, scope(), ids, limit=store.SUGGESTIONS)
    return [
        WorkplaceBody(
            workplace.id,
            workplace.name,
            workplace.people,
            listed_by=[_serialize_listing(row) for row in listed[workplace.id]],
            suggestions=[
                Suggestion(row.id, row.name, round(row.likeness, 2)) for row in suggestions[workplace.id]
            ],
        )
        for workplace in workplaces
    ]


def _serialize_listing(row: store.Listed) -> WorkplaceListing:
    return WorkplaceListing(
        institution_id=row.institution_id,
        institution_name=row.institution,
        identifier_type=row.identifier_type,
        identifier=row.identifier,
        people=row.people,
        first_job_id=str(row.first_run_id),
        last_job_id=str(row.last_run_id),
    )
