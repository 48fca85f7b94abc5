"""The API of workplaces. Input: decisions on workplaces. Output: workplaces and institutions."""

from http import HTTPStatus
from typing import Any

from flask import request
from msgspec.structs import asdict

from hrims.db import Connection
from hrims.errors import InvalidInput
from hrims.institutions.workplaces import actions, store
from hrims.institutions.workplaces.actions import Decision
from hrims.numbers import whole
from hrims.web.core import requests
from hrims.web.core.app_state import pool
from hrims.web.core.bodies import MapRequest, RegisterRequest
from hrims.web.core.guard import actor

ROWS, MAX_ROWS = 50, 200
"""Workplaces in one response: the default and the maximum."""


def index() -> dict[str, Any]:
    """Return the workplaces that wait for an institution, those with the most people first.

    Parameters: ``?page=1&pageSize=50&name=words``.
    """
    page, size = _asked("page", 1, most=10**9), _asked("pageSize", ROWS, most=MAX_ROWS)
    name = request.args.get("name", "").replace("\x00", "")
    with pool().connection() as conn:
        count = store.count_waiting(conn, name)
        workplaces = store.list_waiting(conn, name, limit=size, offset=(page - 1) * size)
        rows = _serialize_workplaces(conn, workplaces)
    return {
        "workplaces": rows,
        "page": page,
        "pageSize": size,
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
    listed = store.find_listings(conn, ids)
    suggestions = store.find_suggestions(conn, ids, limit=store.SUGGESTIONS)
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


def _asked(name: str, usual: int, *, most: int) -> int:
    given = whole(request.args.get(name, str(usual)), most)
    if not given:
        raise InvalidInput(f"{name} is a whole number from 1 to {most}.", "bad_number")
    return given
