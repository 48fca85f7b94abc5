"""Schedules for machines: a wish with a cron line comes in; when it comes, and what became of its
times, goes out.
"""

from http import HTTPStatus
from typing import Any

from flask import Blueprint

from hrims.db import Connection, one_moment
from hrims.numbers import whole
from hrims.schedules import decide, store
from hrims.schedules.store import Schedule
from hrims.web import answers, guard
from hrims.web.api import Answer, body
from hrims.web.guard import actor
from hrims.web.parts import pool
from hrims.web.schedules import LATEST, next_times

blueprint = Blueprint("schedules_api", __name__, url_prefix="/api/hrims/schedules")


@blueprint.get("")
def schedules() -> dict[str, Any]:
    """All of them, by name."""
    with pool().connection() as conn:
        one_moment(conn)
        return {"success": True, "schedules": [_told(conn, one) for one in store.schedules(conn)]}


@blueprint.post("")
def add() -> Answer:
    """Adds one."""
    guard.administrators_only()
    wish = body()
    with pool().connection() as conn:
        return _shown(conn, decide.add(conn, actor(), wish)), HTTPStatus.CREATED


@blueprint.get("/<schedule_id>")
def show(schedule_id: str) -> dict[str, Any]:
    """One of them."""
    with pool().connection() as conn:
        return _shown(conn, whole(schedule_id))


@blueprint.put("/<schedule_id>")
def change(schedule_id: str) -> dict[str, Any]:
    """Changes it to what is said, all of it."""
    guard.administrators_only()
    wish = body()
    with pool().connection() as conn:
        decide.change(conn, actor(), whole(schedule_id), wish)
        return _shown(conn, whole(schedule_id))


@blueprint.post("/<schedule_id>/pause")
def pause(schedule_id: str) -> dict[str, Any]:
    """It asks for nothing until it is resumed."""
    guard.administrators_only()
    with pool().connection() as conn:
        decide.pause(conn, actor(), whole(schedule_id))
        return _shown(conn, whole(schedule_id))


@blueprint.post("/<schedule_id>/resume")
def resume(schedule_id: str) -> dict[str, Any]:
    """It asks again, at its next time."""
    guard.administrators_only()
    with pool().connection() as conn:
        decide.resume(conn, actor(), whole(schedule_id))
        return _shown(conn, whole(schedule_id))


@blueprint.post("/<schedule_id>/run")
def run(schedule_id: str) -> Answer:
    """Asks for its batch now."""
    guard.administrators_only()
    with pool().connection() as conn:
        batch_id = decide.run_now(conn, actor(), whole(schedule_id))
        return {"batchId": str(batch_id), **_shown(conn, whole(schedule_id))}, HTTPStatus.ACCEPTED


@blueprint.post("/<schedule_id>/remove")
def remove(schedule_id: str) -> dict[str, Any]:
    """Deletes it; what it asked for stays."""
    guard.administrators_only()
    with pool().connection() as conn:
        decide.remove(conn, actor(), whole(schedule_id))
    return {"success": True}


def _shown(conn: Connection, schedule_id: int) -> dict[str, Any]:
    return {"success": True, **_told(conn, decide.find(conn, schedule_id))}


def _told(conn: Connection, one: Schedule) -> dict[str, Any]:
    return {
        "id": one.id,
        "name": one.name,
        "cron": one.cron,
        "timeZone": one.time_zone,
        "institutions": one.institutions if one.wish == "selection" else one.wish,
        "identifierType": one.identifier_type,
        "pageSize": one.page_size,
        "priority": one.priority,
        "spreadMinutes": one.spread_minutes,
        "missed": one.missed,
        "quietFrom": f"{one.quiet_from:%H:%M}" if one.quiet_from else None,
        "quietUntil": f"{one.quiet_until:%H:%M}" if one.quiet_until else None,
        "pausedBy": one.paused_by,
        "pausedAt": answers.time(one.paused_at),
        "madeBy": one.made_by,
        "madeAt": answers.time(one.made_at),
        "next": [answers.time(at) for at in next_times(conn, one)],
        "latest": [
            {
                "dueAt": answers.time(firing.due_at),
                "became": firing.became,
                "batchId": None if firing.batch_id is None else str(firing.batch_id),
            }
            for firing in store.firings(conn, one.id, LATEST)
        ],
    }
