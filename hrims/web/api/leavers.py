"""The API of leavers. Input: decisions. Output: waiting and recent departures."""

from collections.abc import Callable
from typing import Any

from hrims.access.actor import Actor
from hrims.approvals import actions as approvals
from hrims.db import Connection
from hrims.leavers import actions, store
from hrims.leavers.model import DepartureView
from hrims.web.core import lookups, serializers
from hrims.web.core.app_state import pool
from hrims.web.core.guard import actor, mask, scope
from hrims.web.core.serializers import FIRST_PEOPLE, time


def index() -> dict[str, Any]:
    """Return the departures that wait for approval, and those recently applied, refused or undone."""
    with pool().connection() as conn:
        return {
            "success": True,
            "waiting": [_serialize(conn, departure) for departure in store.list_waiting(conn, scope())],
            "recent": [
                _serialize(conn, departure) for departure in store.list_recent(conn, scope(), store.RECENT)
            ],
        }


def approve(departure_id: str) -> dict[str, Any]:
    """Approve a departure: it applies to the employees that the list still misses."""
    return _decide(departure_id, actions.approve)


def refuse(departure_id: str) -> dict[str, Any]:
    """Refuse a departure. It changes no employee; the misses that led to it are reset."""
    return _decide(departure_id, actions.refuse)


def undo(departure_id: str) -> serializers.JsonResponse:
    """Undo a departure, as far as its changes are still in place.

    Return 202 with ``approvalId`` if another user must approve that first.
    """
    with pool().connection() as conn:
        result = approvals.undo_leavers(conn, actor(), lookups.find_departure(conn, departure_id).id)
        departure = lookups.find_departure(conn, departure_id)
        return serializers.done_or_waits(result.approval_id, {"success": True, **_serialize(conn, departure)})


def _decide(departure_id: str, decision: Callable[[Connection, Actor, int], Any]) -> dict[str, Any]:
    with pool().connection() as conn:
        decision(conn, actor(), lookups.find_departure(conn, departure_id).id)
        return {"success": True, **_serialize(conn, lookups.find_departure(conn, departure_id))}


def _serialize(conn: Connection, departure: DepartureView) -> dict[str, Any]:
    people = mask().rows(store.list_people(conn, departure.id, FIRST_PEOPLE))
    return {
        "id": departure.id,
        "institutionId": departure.institution_id,
        "institutionName": departure.institution,
        "identifierType": departure.identifier_type,
        "jobId": str(departure.run_id),
        "requestedBy": departure.asked_by,
        "state": departure.state,
        "why": departure.why,
        "count": departure.people,
        "missing": departure.missing,
        "listed": departure.listed,
        "sharePercent": departure.share,
        "leavers": departure.leavers,
        "transfers": departure.transfers,
        "unlisted": departure.unlisted,
        "createdAt": time(departure.created_at),
        "decidedBy": departure.decided_by,
        "decidedAt": time(departure.decided_at),
        "undoneBy": departure.undone_by,
        "undoneAt": time(departure.undone_at),
        "morePeople": max(departure.people - len(people), 0),
        "people": [{"zanId": person["zanId"], "name": person["name"]} for person in people],
    }
