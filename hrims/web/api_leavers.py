"""The JSON API for leavers: what waits and what was done lately goes out; decisions come in."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint

from hrims.access.audit import Actor
from hrims.db import Connection
from hrims.leavers import decide
from hrims.leavers.shown import store
from hrims.web.answers import FIRST_PEOPLE, time
from hrims.web.guard import actor
from hrims.web.leavers import RECENT, find
from hrims.web.parts import pool

blueprint = Blueprint("api_leavers", __name__, url_prefix="/api/hrims")


@blueprint.get("/leavers")
def leavers() -> dict[str, Any]:
    """What waits for a second person, and what was carried out, refused or undone lately."""
    with pool().connection() as conn:
        return {
            "success": True,
            "waiting": [_told(conn, one) for one in store.waiting(conn)],
            "recent": [_told(conn, one) for one in store.recent(conn, RECENT)],
        }


@blueprint.post("/leavers/<departure_id>/approve")
def approve(departure_id: str) -> dict[str, Any]:
    """Makes leavers of those whom the list has missed ever since."""
    return _act(departure_id, decide.approve)


@blueprint.post("/leavers/<departure_id>/refuse")
def refuse(departure_id: str) -> dict[str, Any]:
    """Changes nobody; the list counts anew."""
    return _act(departure_id, decide.refuse)


@blueprint.post("/leavers/<departure_id>/undo")
def undo(departure_id: str) -> dict[str, Any]:
    """Takes back what was done, as far as it still stands."""
    return _act(departure_id, decide.undo)


def _act(departure_id: str, deed: Callable[[Connection, Actor, int], Any]) -> dict[str, Any]:
    with pool().connection() as conn:
        deed(conn, actor(), find(conn, departure_id).id)
        return {"success": True, **_told(conn, find(conn, departure_id))}


def _told(conn: Connection, one: store.Shown) -> dict[str, Any]:
    people = store.people(conn, one.id, FIRST_PEOPLE)
    return {
        "id": one.id,
        "institutionId": one.institution_id,
        "institutionName": one.institution,
        "identifierType": one.identifier_type,
        "jobId": str(one.run_id),
        "requestedBy": one.asked_by,
        "state": one.state,
        "why": one.why,
        "count": one.people,
        "missing": one.missing,
        "listed": one.listed,
        "sharePercent": one.share,
        "leavers": one.leavers,
        "transfers": one.transfers,
        "unlisted": one.unlisted,
        "createdAt": time(one.created_at),
        "decidedBy": one.decided_by,
        "decidedAt": time(one.decided_at),
        "undoneBy": one.undone_by,
        "undoneAt": time(one.undone_at),
        "morePeople": max(one.people - len(people), 0),
        "people": [{"zanId": person["zanId"], "name": person["name"]} for person in people],
    }
