"""The API of workplaces. Input: decisions on workplaces. Output: workplaces and institutions."""

from http import HTTPStatus
from typing import Any

from msgspec.structs import asdict

from hrims.db import Connection
from hrims.institutions.workplaces import actions, store
from hrims.institutions.workplaces.actions import Decision
from hrims.web.core import requests
from hrims.web.core.app_state import pool
from hrims.web.core.bodies import MapRequest, RegisterRequest
from hrims.web.core.guard import actor, scope
from hrims.web.core.queries import WorkplacesQuery


def index(query: WorkplacesQuery) -> dict[str, Any]:
    """Return the workplaces that wait for an institution, those with the most people first."""
    with pool().connection() as conn:
        count = store.count_waiting(conn, scope(), query.name)
        offset = (query.page - 1) * query.page_size
        workplaces = store.list_waiting(conn, scope(), query.name, limit=query.page_size, offset=offset)
        rows = _serialize_workplaces(conn, workplaces)
    return {
        "workplaces": rows,
        "page": query.page,
        "pageSize": query.page_size,
        "total": count.workplaces,
        "people": count.people,
    }


def map_institution(workplace_id: str, body: MapRequest) -> dict[str, Any]:
    """Map a workplace to an institution of the register."""
    with pool().connection() as conn:
        return _serialize_decision(
            actions.map_workplace(conn, actor(), requests.id_of(workplace_id), body.institution_id)
        )


def register(workplace_id: str, body: RegisterRequest) -> tuple[dict[str, Any], int]:
    """Register a workplace as a new institution, by its own name unless the body has another."""
    with pool().connection() as conn:
        decided = actions.register_workplace(conn, actor(), requests.id_of(workplace_id), **asdict(body))
    return _serialize_decision(decided), HTTPStatus.CREATED


def unmap(workplace_id: str) -> dict[str, Any]:
    """Remove the mapping of a workplace."""
    with pool().connection() as conn:
        return _serialize_decision(actions.unmap(conn, actor(), requests.id_of(workplace_id)))


def _serialize_decision(decided: Decision) -> dict[str, Any]:
    now = decided.workplace
    where = f"is mapped to {now.institution}" if now.institution else "is no longer mapped"
    return {
        "success": True,
        "message": f"“{now.name}” {where}. People moved: {decided.moved:,}.",
        "workplaceId": now.id,
        "workplaceName": now.name,
        "institutionId": now.institution_id,
        "institutionName": now.institution,
        "moved": decided.moved,
    }


def _serialize_workplaces(conn: Connection, workplaces: list[store.Workplace]) -> list[dict[str, Any]]:
    ids = [workplace.id for workplace in workplaces]
    listed = store.find_listings(conn, scope(), ids)
    suggestions = store.find_suggestions(conn, scope(), ids, limit=store.SUGGESTIONS)
    return [
        {
            "id": workplace.id,
            "name": workplace.name,
            "people": workplace.people,
            "listedBy": [_serialize_listing(row) for row in listed[workplace.id]],
            "suggestions": [_serialize_suggestion(row) for row in suggestions[workplace.id]],
        }
        for workplace in workplaces
    ]


def _serialize_listing(row: store.Listed) -> dict[str, Any]:
    return {
        "institutionId": row.institution_id,
        "institutionName": row.institution,
        "identifierType": row.identifier_type,
        "identifier": row.identifier,
        "people": row.people,
        "firstJobId": str(row.first_run_id),
        "lastJobId": str(row.last_run_id),
    }


def _serialize_suggestion(row: store.Candidate) -> dict[str, Any]:
    return {"institutionId": row.id, "institutionName": row.name, "likeness": round(row.likeness, 2)}
