"""The API of schedules. Input: a schedule. Output: its next times, and the results of its past times."""

from http import HTTPStatus
from typing import Any

from hrims.db import Connection, use_snapshot
from hrims.numbers import whole
from hrims.schedules import actions, store
from hrims.schedules.request import ChangedScheduleRequest, ScheduleRequest
from hrims.schedules.store import Schedule
from hrims.web.core import serializers
from hrims.web.core.app_state import pool
from hrims.web.core.guard import actor, scope


def index() -> dict[str, Any]:
    """Return all schedules, ordered by name."""
    with pool().connection() as conn:
        use_snapshot(conn)
        return {
            "success": True,
            "schedules": [_serialize(conn, schedule) for schedule in store.list_schedules(conn, scope())],
        }


def create(body: ScheduleRequest) -> serializers.JsonResponse:
    """Add a schedule."""
    with pool().connection() as conn:
        return _schedule_response(conn, actions.add(conn, actor(), body)), HTTPStatus.CREATED


def show(schedule_id: str) -> dict[str, Any]:
    """Return a schedule."""
    with pool().connection() as conn:
        return _schedule_response(conn, whole(schedule_id))


def update(schedule_id: str, body: ChangedScheduleRequest) -> dict[str, Any]:
    """Replace a schedule; omitted fields get their defaults."""
    with pool().connection() as conn:
        actions.change(conn, actor(), whole(schedule_id), body)
        return _schedule_response(conn, whole(schedule_id))


def pause(schedule_id: str) -> dict[str, Any]:
    """Pause a schedule: it starts no batch until it is resumed."""
    with pool().connection() as conn:
        actions.pause(conn, actor(), whole(schedule_id))
        return _schedule_response(conn, whole(schedule_id))


def resume(schedule_id: str) -> dict[str, Any]:
    """Resume a schedule at its next time."""
    with pool().connection() as conn:
        actions.resume(conn, actor(), whole(schedule_id))
        return _schedule_response(conn, whole(schedule_id))


def run(schedule_id: str) -> serializers.JsonResponse:
    """Enqueue the batch of a schedule now."""
    with pool().connection() as conn:
        batch_id = actions.run_now(conn, actor(), whole(schedule_id))
        return {"batchId": str(batch_id), **_schedule_response(conn, whole(schedule_id))}, HTTPStatus.ACCEPTED


def remove(schedule_id: str) -> dict[str, Any]:
    """Delete a schedule. Its batches stay."""
    with pool().connection() as conn:
        actions.remove(conn, actor(), whole(schedule_id))
    return {"success": True}


def _schedule_response(conn: Connection, schedule_id: int) -> dict[str, Any]:
    return {"success": True, **_serialize(conn, actions.find(conn, scope(), schedule_id))}


def _serialize(conn: Connection, schedule: Schedule) -> dict[str, Any]:
    return {
        "id": schedule.id,
        "name": schedule.name,
        "cron": schedule.cron,
        "timeZone": schedule.time_zone,
        "institutions": schedule.institutions if schedule.scope == "selection" else schedule.scope,
        "identifierType": schedule.identifier_type,
        "pageSize": schedule.page_size,
        "priority": schedule.priority,
        "spreadMinutes": schedule.spread_minutes,
        "missed": schedule.missed,
        "quietFrom": f"{schedule.quiet_from:%H:%M}" if schedule.quiet_from else None,
        "quietUntil": f"{schedule.quiet_until:%H:%M}" if schedule.quiet_until else None,
        "pausedBy": schedule.paused_by,
        "pausedAt": serializers.time(schedule.paused_at),
        "madeBy": schedule.made_by,
        "madeAt": serializers.time(schedule.made_at),
        "next": [serializers.time(at) for at in actions.next_times(conn, schedule)],
        "latest": [
            {
                "dueAt": serializers.time(firing.due_at),
                "became": firing.became,
                "batchId": None if firing.batch_id is None else str(firing.batch_id),
            }
            for firing in store.list_firings(conn, schedule.id, store.LATEST)
        ],
    }
