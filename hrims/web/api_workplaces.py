"""Workplaces as machines see and decide about them: ids and institutions come in, JSON goes out."""

import json
from http import HTTPStatus
from typing import Any

from flask import Blueprint, request

from hrims.db import Connection
from hrims.errors import InvalidInput
from hrims.numbers import whole
from hrims.web.guard import actor
from hrims.web.parts import pool
from hrims.web.workplaces import SUGGESTIONS, id_of
from hrims.workplaces import decide, store
from hrims.workplaces.decide import Decided

blueprint = Blueprint("api_workplaces", __name__, url_prefix="/api/hrims/workplaces")

A_PAGE, MOST_A_PAGE = 50, 200
"""Workplaces that one answer lists, unless more are asked for, and at most."""


@blueprint.get("")
def waiting() -> dict[str, Any]:
    """The workplaces that wait for an institution, most people first: ``?page=1&pageSize=50&name=words``."""
    page, size = _asked("page", 1, most=10**9), _asked("pageSize", A_PAGE, most=MOST_A_PAGE)
    name = request.args.get("name", "").replace("\x00", "")
    with pool().connection() as conn:
        count = store.count_waiting(conn, name)
        found = store.waiting(conn, name, limit=size, offset=(page - 1) * size)
        rows = _rows(conn, found)
    return {
        "workplaces": rows,
        "page": page,
        "pageSize": size,
        "total": count.workplaces,
        "people": count.people,
    }


@blueprint.post("/<workplace_id>/map")
def map_to(workplace_id: str) -> dict[str, Any]:
    """A workplace is an institution of the register from now on."""
    institution_id = id_of(_body().get("institutionId"))
    with pool().connection() as conn:
        return _answer(decide.map_to(conn, actor(), id_of(workplace_id), institution_id))


@blueprint.post("/<workplace_id>/register")
def register(workplace_id: str) -> tuple[dict[str, Any], int]:
    """A workplace is a new institution, by its own name unless another is given."""
    body = _body()
    given = {
        "name": _text(body, "name"),
        "vote_code": _text(body, "voteNumber"),
        "tin": _text(body, "tinNumber"),
    }
    with pool().connection() as conn:
        decided = decide.register_as(conn, actor(), id_of(workplace_id), **given)
    return _answer(decided), HTTPStatus.CREATED


@blueprint.post("/<workplace_id>/unmap")
def unmap(workplace_id: str) -> dict[str, Any]:
    """What was said about a workplace is taken back."""
    with pool().connection() as conn:
        return _answer(decide.take_back(conn, actor(), id_of(workplace_id)))


def _answer(decided: Decided) -> dict[str, Any]:
    now = decided.workplace
    where = f"is {now.institution} from now on" if now.institution else "waits for an institution again"
    return {
        "success": True,
        "message": f"“{now.name}” {where}. People moved: {decided.moved:,}.",
        "workplaceId": now.id,
        "workplaceName": now.name,
        "institutionId": now.institution_id,
        "institutionName": now.institution,
        "moved": decided.moved,
    }


def _rows(conn: Connection, found: list[store.Workplace]) -> list[dict[str, Any]]:
    ids = [one.id for one in found]
    listed, like = store.listed_by(conn, ids), store.suggestions(conn, ids, most=SUGGESTIONS)
    return [
        {
            "id": one.id,
            "name": one.name,
            "people": one.people,
            "listedBy": [_listed(row) for row in listed[one.id]],
            "suggestions": [_suggestion(row) for row in like[one.id]],
        }
        for one in found
    ]


def _listed(row: store.Listed) -> dict[str, Any]:
    return {
        "institutionId": row.institution_id,
        "institutionName": row.institution,
        "identifierType": row.identifier_type,
        "identifier": row.identifier,
        "people": row.people,
        "firstJobId": str(row.first_run_id),
        "lastJobId": str(row.last_run_id),
    }


def _suggestion(row: store.Candidate) -> dict[str, Any]:
    return {"institutionId": row.id, "institutionName": row.name, "likeness": round(row.likeness, 2)}


def _asked(name: str, usual: int, *, most: int) -> int:
    given = whole(request.args.get(name, str(usual)), most)
    if not given:
        raise InvalidInput(f"{name} is a whole number from 1 to {most}.", "bad_number")
    return given


def _text(body: dict[str, Any], name: str) -> str | None:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise InvalidInput(f"{name} must be text, leading zeros kept. Nothing was changed.", "bad_text")
    return value


def _body() -> dict[str, Any]:
    try:
        body = json.loads(request.get_data() or b"{}")
    except (ValueError, RecursionError):
        raise InvalidInput("The body is not JSON. Nothing was changed.", "not_json") from None
    if not isinstance(body, dict):
        raise InvalidInput("The body must be a JSON object. Nothing was changed.", "not_json")
    return body
