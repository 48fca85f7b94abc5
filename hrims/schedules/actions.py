"""The actions of administrators on schedules: add, change, pause, resume, remove, run now.

Each action writes its audit record.
"""

from datetime import datetime, time
from typing import Any

import psycopg
from msgspec.structs import asdict

from hrims.access.actor import Actor
from hrims.access.audit import record
from hrims.access.scope import Scope
from hrims.batches import actions as batches
from hrims.batches.store import Quiet
from hrims.db import Connection
from hrims.errors import Conflict, InvalidInput, NotFound, Unprocessable
from hrims.numbers import LARGEST
from hrims.schedules import calendar, store
from hrims.schedules.request import ScheduleRequest
from hrims.schedules.store import Schedule

NEXT_TIMES = 5
"""Number of future times that page and API show."""


def next_times(conn: Connection, schedule: Schedule) -> list[datetime]:
    """Return the next times of a schedule.

    The list is empty if this machine cannot read its time zone or cron expression.
    """
    try:
        return calendar.next_times(schedule.cron, schedule.zone, store.now(conn), NEXT_TIMES)
    except (ValueError, KeyError):
        return []


def add(conn: Connection, actor: Actor, fields: ScheduleRequest) -> int:
    """Add a schedule. Return its id. Raises InvalidInput, NotFound, or Conflict if its name is taken."""
    with conn.transaction():
        columns = check(conn, actor, fields)
        id_ = store.insert_schedule(conn, columns, actor.name, actor.user_id)
        if id_ is None:
            raise _name_taken(columns["name"])
        record(conn, actor, "schedule.add", f"schedule:{id_}", after=_audit_details(columns))
    return id_


def change(conn: Connection, actor: Actor, schedule_id: int, fields: ScheduleRequest) -> None:
    """Replace all fields of a schedule. Raises like ``add``."""
    try:
        with conn.transaction():
            before = _lock(conn, schedule_id)
            columns = check(conn, actor, fields)
            store.update_schedule(conn, schedule_id, columns, actor.user_id)
            was, now = _audit_details(vars(before)), _audit_details(columns)
            changed = [name for name in now | was if was.get(name) != now.get(name)]
            values = [{name: item.get(name) for name in changed} for item in (was, now)]
            subject = f"schedule:{schedule_id}"
            record(conn, actor, "schedule.change", subject, before=values[0], after=values[1])
    except psycopg.errors.UniqueViolation:
        raise _name_taken(fields.name) from None


def pause(conn: Connection, actor: Actor, schedule_id: int) -> None:
    """Pause a schedule: it starts no batch until it is resumed. Raises NotFound, Conflict."""
    with conn.transaction():
        _lock(conn, schedule_id)
        if not store.pause_schedule(conn, schedule_id, actor.name):
            raise Conflict("This schedule is paused already. Nothing was changed.", "paused")
        record(conn, actor, "schedule.pause", f"schedule:{schedule_id}")


def resume(conn: Connection, actor: Actor, schedule_id: int) -> None:
    """Resume a schedule at its next time.

    Times that passed while it was paused do not count as missed. Raises NotFound, Conflict.
    """
    with conn.transaction():
        found = _lock(conn, schedule_id)
        next_at = _next_time(conn, found.cron, found.time_zone)
        if not store.resume_schedule(conn, schedule_id, next_at, actor.user_id):
            raise Conflict("This schedule is not paused. Nothing was changed.", "not_paused")
        record(conn, actor, "schedule.resume", f"schedule:{schedule_id}")


def run_now(conn: Connection, actor: Actor, schedule_id: int) -> int:
    """Enqueue the batch of a schedule now, for the user who requests it. Return the batch id.

    The times of the schedule do not change. Raises NotFound, and like ``enqueue_batch``.
    """
    with conn.transaction():
        found = _lock(conn, schedule_id)
        batch_id = enqueue_batch(conn, actor, found)
        record(conn, actor, "schedule.run", f"schedule:{schedule_id}", batch=batch_id)
    return batch_id


def remove(conn: Connection, actor: Actor, schedule_id: int) -> None:
    """Delete a schedule. Its batches stay. Raises NotFound."""
    with conn.transaction():
        found = _lock(conn, schedule_id)
        store.delete_schedule(conn, schedule_id)
        was = _audit_details(vars(found))
        record(conn, actor, "schedule.remove", f"schedule:{schedule_id}", before=was)


def enqueue_batch(conn: Connection, actor: Actor, schedule: Schedule) -> int:
    """Enqueue the batch of a schedule. Return its id. Raises Unprocessable if no institution is selected."""
    zone = None if schedule.quiet_from is None else schedule.time_zone
    known = (
        batches.find_known(conn, actor.scope, schedule.institutions) if schedule.scope == "selection" else []
    )
    if schedule.scope == "selection" and not known:
        raise Unprocessable("None of its institutions is on the register any more.", "none_selected")
    result = batches.enqueue_batch(
        conn,
        actor,
        schedule.scope,
        institutions=known,
        identifier_type=schedule.identifier_type,
        page_size=schedule.page_size,
        priority=schedule.priority,
        spread=schedule.spread_minutes,
        quiet=Quiet(schedule.quiet_from, schedule.quiet_until, zone),
    )
    store.link_batch(conn, result.batch_id, schedule.id)
    return result.batch_id


def find(conn: Connection, scope: Scope, schedule_id: int) -> Schedule:
    """Return the schedule with this id in the scope. Raises NotFound."""
    found = store.find_schedule(conn, scope, schedule_id) if 0 < schedule_id <= LARGEST else None
    if not found:
        raise _not_found()
    return found


def check(conn: Connection, actor: Actor, fields: ScheduleRequest) -> dict[str, Any]:
    """Convert the fields of a request to the columns of a schedule. Raises InvalidInput, NotFound."""
    scope, institutions = batches.split_institutions(fields.institutions)
    batches.check_known(conn, actor.scope, institutions)
    zone = calendar.check_zone(fields.time_zone)
    if not store.is_known_zone(conn, zone.key):
        raise InvalidInput(f"PostgreSQL knows no time zone {zone.key}. Nothing was changed.", "bad_time_zone")
    cron = calendar.check_cron(fields.cron, zone, store.now(conn))
    return {
        **asdict(fields),
        **_parse_quiet_hours(fields),
        "cron": cron,
        "scope": scope,
        "institutions": sorted({*institutions}),
        "next_at": _next_time(conn, cron, zone.key),
    }


def _parse_quiet_hours(fields: ScheduleRequest) -> dict[str, time | None]:
    start, end = calendar.parse_time(fields.quiet_from), calendar.parse_time(fields.quiet_until)
    if (start is None) != (end is None) or (start is not None and start == end):
        raise InvalidInput("Quiet hours have a beginning and another end. Nothing was changed.", "bad_time")
    return {"quiet_from": start, "quiet_until": end}


def _next_time(conn: Connection, cron: str, zone: str) -> datetime:
    return calendar.next_times(cron, calendar.check_zone(zone), store.now(conn), 1)[0]


def _lock(conn: Connection, schedule_id: int) -> Schedule:
    found = store.lock_schedule(conn, schedule_id) if 0 < schedule_id <= LARGEST else None
    if not found:
        raise _not_found()
    return found


def _not_found() -> NotFound:
    return NotFound("There is no schedule with this number.", "unknown_schedule")


def _name_taken(name: str) -> Conflict:
    return Conflict(f"There is another schedule called {name}. Nothing was changed.", "name_taken")


def _audit_details(columns: dict[str, Any]) -> dict[str, Any]:
    """Return a schedule as the details of an audit record."""
    names = set(ScheduleRequest.__struct_fields__) - {"institutions"}
    shown = {name: columns[name] for name in names if columns[name] is not None}
    return {name: str(value) for name, value in shown.items()} | {
        "scope": columns["scope"],
        "institutions": columns["institutions"],
    }
