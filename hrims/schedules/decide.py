"""What administrators do with schedules: add, change, pause, resume, remove, run now; each with its audit
record.
"""

from datetime import datetime
from typing import Any, Final

import psycopg

from hrims.access.audit import Actor, record
from hrims.batches import ask
from hrims.batches.store import Quiet
from hrims.db import Connection
from hrims.errors import Conflict, InvalidInput, NotAcceptable, NotFound
from hrims.numbers import LARGEST
from hrims.schedules import calendar, store
from hrims.schedules.store import Schedule

LONGEST_NAME: Final = 80
MOST_SPREAD: Final = 1440
"""Minutes: a day."""

MISSED: Final = ("skip", "once")

FIELDS: Final = {
    "name": "name",
    "cron": "cron",
    "timeZone": "time_zone",
    "institutions": "institutions",
    "identifierType": "identifier_type",
    "pageSize": "page_size",
    "priority": "priority",
    "spreadMinutes": "spread_minutes",
    "missed": "missed",
    "quietFrom": "quiet_from",
    "quietUntil": "quiet_until",
}
"""What a schedule says, as the API calls it and as it is kept."""

USUAL: Final[dict[str, Any]] = {
    "timeZone": "Africa/Dar_es_Salaam",
    "institutions": "all",
    "identifierType": None,
    "pageSize": 100,
    "priority": "low",
    "spreadMinutes": 0,
    "missed": "once",
    "quietFrom": None,
    "quietUntil": None,
}
"""What holds where nothing is said. Nobody waits for a nightly run, so single runs go before it."""


def add(conn: Connection, actor: Actor, wish: dict[str, Any]) -> int:
    """Adds a schedule; returns its id. Raises InvalidInput, NotFound, or Conflict when its name is taken."""
    with conn.transaction():
        kept = check(conn, USUAL | wish)
        id_ = store.insert(conn, kept, actor.name)
        if id_ is None:
            raise _taken(kept["name"])
        record(conn, actor, "schedule.add", f"schedule:{id_}", **_told(kept))
    return id_


def change(conn: Connection, actor: Actor, schedule_id: int, wish: dict[str, Any]) -> None:
    """Changes a schedule to what is said, all of it. Raises as ``add`` does."""
    if "institutions" not in wish:
        # Left out, a selection would become the whole register.
        raise InvalidInput(
            "institutions must be said: all, failed or a list of ids. Nothing was changed.", "no_institutions"
        )
    try:
        with conn.transaction():
            before = _held(conn, schedule_id)
            kept = check(conn, USUAL | wish)
            store.update(conn, schedule_id, kept)
            was, now = _told(vars(before)), _told(kept)
            changed = {
                name: [was.get(name), now.get(name)] for name in now | was if was.get(name) != now.get(name)
            }
            record(conn, actor, "schedule.change", f"schedule:{schedule_id}", **changed)
    except psycopg.errors.UniqueViolation:
        raise _taken(wish.get("name")) from None


def pause(conn: Connection, actor: Actor, schedule_id: int) -> None:
    """It asks for nothing until somebody resumes it. Raises NotFound, Conflict."""
    with conn.transaction():
        _held(conn, schedule_id)
        if not store.pause(conn, schedule_id, actor.name):
            raise Conflict("This schedule is paused already. Nothing was changed.", "paused")
        record(conn, actor, "schedule.pause", f"schedule:{schedule_id}")


def resume(conn: Connection, actor: Actor, schedule_id: int) -> None:
    """It asks again at its next time; those that passed meanwhile were not missed. Raises NotFound,
    Conflict.
    """
    with conn.transaction():
        found = _held(conn, schedule_id)
        if not store.go_on(conn, schedule_id, _next(conn, found.cron, found.time_zone)):
            raise Conflict("This schedule is not paused. Nothing was changed.", "not_paused")
        record(conn, actor, "schedule.resume", f"schedule:{schedule_id}")


def run_now(conn: Connection, actor: Actor, schedule_id: int) -> int:
    """Asks for its batch now, for the one who presses; returns the batch. Its times stay. Raises as ``ask``
    does.
    """
    with conn.transaction():
        found = _held(conn, schedule_id)
        batch_id = ask_for(conn, actor, found)
        record(conn, actor, "schedule.run", f"schedule:{schedule_id}", batch=batch_id)
    return batch_id


def remove(conn: Connection, actor: Actor, schedule_id: int) -> None:
    """Deletes a schedule; what it asked for stays. Raises NotFound."""
    with conn.transaction():
        found = _held(conn, schedule_id)
        store.remove(conn, schedule_id)
        record(conn, actor, "schedule.remove", f"schedule:{schedule_id}", **_told(vars(found)))


def ask_for(conn: Connection, actor: Actor, one: Schedule) -> int:
    """Asks for the batch of a schedule; returns its id. Raises NotAcceptable when nobody is meant."""
    zone = None if one.quiet_from is None else one.time_zone
    known = ask.known(conn, one.institutions) if one.wish == "selection" else []
    if one.wish == "selection" and not known:
        raise NotAcceptable("None of its institutions is on the register any more.", "nobody_meant")
    asked = ask.ask(
        conn,
        actor,
        one.wish,
        institutions=known,
        identifier_type=one.identifier_type,
        page_size=one.page_size,
        priority=one.priority,
        spread=one.spread_minutes,
        quiet=Quiet(one.quiet_from, one.quiet_until, zone),
    )
    store.belongs_to(conn, asked.batch_id, one.id)
    return asked.batch_id


def find(conn: Connection, schedule_id: int) -> Schedule:
    """The schedule with this number. Raises NotFound."""
    found = store.read(conn, schedule_id) if 0 < schedule_id <= LARGEST else None
    if not found:
        raise _unknown()
    return found


def check(conn: Connection, wish: dict[str, Any]) -> dict[str, Any]:
    """A schedule as it is kept, from what the API calls its fields. Raises InvalidInput, NotFound."""
    if unknown := sorted(set(wish) - set(FIELDS)):
        raise InvalidInput(
            f"A schedule has no {unknown[0]}; it has {', '.join(FIELDS)}. Nothing was changed.",
            "unknown_field",
        )
    meant = wish["institutions"]
    kind = "selection" if isinstance(meant, list) else meant
    chosen = ask.check(kind, meant, wish["identifierType"], wish["pageSize"], wish["priority"])
    ask.check_known(conn, chosen)
    zone = calendar.check_zone(wish["timeZone"])
    if not store.knows_zone(conn, zone.key):
        raise InvalidInput(f"PostgreSQL knows no time zone {zone.key}. Nothing was changed.", "bad_time_zone")
    line = calendar.check_cron(wish.get("cron"), zone, store.now(conn))
    quiet = [calendar.read_time(wish[name], name) for name in ("quietFrom", "quietUntil")]
    if (quiet[0] is None) != (quiet[1] is None) or (quiet[0] is not None and quiet[0] == quiet[1]):
        raise InvalidInput("Quiet hours have a beginning and another end. Nothing was changed.", "bad_time")
    return {
        "name": _name(wish.get("name")),
        "cron": line,
        "time_zone": zone.key,
        "wish": kind,
        "institutions": chosen,
        "identifier_type": wish["identifierType"],
        "page_size": wish["pageSize"],
        "priority": wish["priority"],
        "spread_minutes": _spread(wish["spreadMinutes"]),
        "missed": _missed(wish["missed"]),
        "quiet_from": quiet[0],
        "quiet_until": quiet[1],
        "next_at": _next(conn, line, zone.key),
    }


def _next(conn: Connection, line: str, zone: str) -> datetime:
    return calendar.upcoming(line, calendar.check_zone(zone), store.now(conn), 1)[0]


def _name(given: object) -> str:
    name = " ".join(given.split()) if isinstance(given, str) else ""
    if not name.isprintable() or not 1 <= len(name) <= LONGEST_NAME:
        raise InvalidInput(f"name must have 1 to {LONGEST_NAME} letters. Nothing was changed.", "bad_name")
    return name


def _spread(given: object) -> int:
    if not isinstance(given, int) or isinstance(given, bool) or not 0 <= given <= MOST_SPREAD:
        raise InvalidInput(
            f"spreadMinutes must be a whole number from 0 to {MOST_SPREAD:,}. Nothing was changed.",
            "bad_spread_minutes",
        )
    return given


def _missed(given: object) -> str:
    if not isinstance(given, str) or given not in MISSED:
        raise InvalidInput(f"missed must be one of {', '.join(MISSED)}. Nothing was changed.", "bad_missed")
    return given


def _held(conn: Connection, schedule_id: int) -> Schedule:
    found = store.hold(conn, schedule_id) if 0 < schedule_id <= LARGEST else None
    if not found:
        raise _unknown()
    return found


def _unknown() -> NotFound:
    return NotFound("There is no schedule with this number.", "unknown_schedule")


def _taken(name: object) -> Conflict:
    return Conflict(f"There is another schedule called {name}. Nothing was changed.", "name_taken")


def _told(kept: dict[str, Any]) -> dict[str, Any]:
    """A schedule as the audit record has it."""
    said = {name: kept[name] for name in FIELDS.values() if name != "institutions" and kept[name] is not None}
    return {name: str(value) for name, value in said.items()} | {
        "wish": kept["wish"],
        "institutions": kept["institutions"],
    }
