"""The SQL of schedules. Each function works inside its caller's transaction."""

from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import class_row

from hrims.access.scope import Scope
from hrims.db import AsyncConnection, Connection, statements

LATEST = 10
"""Number of past times that page and API show."""

SQL = statements(Path(__file__).with_name("schedules.sql"))


@dataclass(frozen=True)
class Schedule:
    """A schedule as it is stored. Times of day are in its time zone."""

    id: int
    name: str
    cron: str
    time_zone: str
    scope: str
    institutions: list[int]
    identifier_type: str | None
    page_size: int
    priority: str
    spread_minutes: int
    missed: str
    quiet_from: time | None
    quiet_until: time | None
    next_at: datetime
    paused_at: datetime | None
    paused_by: str | None
    made_by: str
    made_at: datetime
    owner_id: int

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


@dataclass(frozen=True)
class Firing:
    """A due time of a schedule and its result: ``enqueued``, ``skipped``, ``none_selected`` or ``failed``."""

    schedule_id: int
    due_at: datetime
    fired_at: datetime
    became: str
    batch_id: int | None


def now(conn: Connection) -> datetime:
    """Return the time of the database, which decides when a schedule is due."""
    row = conn.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    found: datetime = row[0]
    return found


def is_known_zone(conn: Connection, zone: str) -> bool:
    """Return whether the database knows the time zone. It evaluates the quiet hours of runs."""
    try:
        with conn.transaction():
            conn.execute("SELECT now() AT TIME ZONE %s", (zone,))
    except psycopg.DataError:
        return False
    return True


def insert_schedule(
    conn: Connection, schedule: dict[str, Any], made_by: str, owner_id: int | None
) -> int | None:
    """Insert a schedule. Return its id, or None if the name is taken."""
    row = conn.execute(SQL["insert"], {**schedule, "made_by": made_by, "owner_id": owner_id}).fetchone()
    return row[0] if row else None


def update_schedule(conn: Connection, id_: int, schedule: dict[str, Any], owner_id: int | None) -> None:
    """Update a schedule, which has the rights of ``owner_id`` from now on.

    Raises psycopg.errors.UniqueViolation if the name is taken.
    """
    conn.execute(SQL["update"], {**schedule, "id": id_, "owner_id": owner_id})


def lock_schedule(conn: Connection, id_: int) -> Schedule | None:
    """Return a schedule and lock it until the transaction ends."""
    return _select_one(conn, b"WHERE id = %s FOR UPDATE", (id_,))


def lock_due_schedule(conn: Connection) -> Schedule | None:
    """Return a due schedule that is not locked, and lock it until the transaction ends."""
    return _select_one(
        conn,
        b"WHERE paused_at IS NULL AND next_at <= clock_timestamp() ORDER BY next_at LIMIT 1"
        b" FOR UPDATE SKIP LOCKED",
    )


async def is_due(conn: AsyncConnection) -> bool:
    """Return whether any schedule is due."""
    due = "SELECT EXISTS (SELECT FROM schedules WHERE paused_at IS NULL AND next_at <= now())"
    row = await (await conn.execute(due)).fetchone()
    return bool(row and row[0])


IN_SCOPE = b"(%(scope)s::bigint[] IS NULL OR scope = 'selection' AND institutions && %(scope)s::bigint[])"
"""The schedules that a user may see: of an institution in the scope.

Those of all institutions are for all.
"""


def find_schedule(conn: Connection, scope: Scope, id_: int) -> Schedule | None:
    """Return one schedule; None if there is none in the scope."""
    return _select_one(conn, b"WHERE id = %(id)s AND " + IN_SCOPE, {"id": id_, **scope.values})


def _select_one(
    conn: Connection, where: bytes, values: tuple[Any, ...] | dict[str, Any] = ()
) -> Schedule | None:
    with conn.cursor(row_factory=class_row(Schedule)) as cursor:
        return cursor.execute(SQL["select"] + b"\n" + where, values).fetchone()


def list_schedules(conn: Connection, scope: Scope) -> list[Schedule]:
    """Return the schedules in the scope, ordered by name."""
    with conn.cursor(row_factory=class_row(Schedule)) as cursor:
        return cursor.execute(
            SQL["select"] + b"\nWHERE " + IN_SCOPE + b" ORDER BY lower(name), id", scope.values
        ).fetchall()


def record_firing(
    conn: Connection, schedule_id: int, due_at: datetime, became: str, batch_id: int | None
) -> None:
    """Record the result of a due time, unless it is already recorded."""
    conn.execute(
        "INSERT INTO schedule_firings (schedule_id, due_at, became, batch_id) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        (schedule_id, due_at, became, batch_id),
    )


def has_firing(conn: Connection, schedule_id: int, due_at: datetime) -> bool:
    """Return whether the result of a due time is recorded. Call it while the schedule is locked."""
    row = conn.execute(
        "SELECT EXISTS (SELECT FROM schedule_firings WHERE schedule_id = %s AND due_at = %s)",
        (schedule_id, due_at),
    ).fetchone()
    return bool(row and row[0])


def list_firings(conn: Connection, schedule_id: int, limit: int) -> list[Firing]:
    """Return the latest due times of a schedule."""
    with conn.cursor(row_factory=class_row(Firing)) as cursor:
        return cursor.execute(
            "SELECT schedule_id, due_at, fired_at, became, batch_id FROM schedule_firings"
            " WHERE schedule_id = %s ORDER BY due_at DESC LIMIT %s",
            (schedule_id, limit),
        ).fetchall()


def set_next_at(conn: Connection, id_: int, next_at: datetime) -> None:
    """Set when a schedule is due next."""
    conn.execute("UPDATE schedules SET next_at = %s WHERE id = %s", (next_at, id_))


def link_batch(conn: Connection, batch_id: int, schedule_id: int) -> None:
    """Record which schedule started a batch."""
    conn.execute("UPDATE batches SET schedule_id = %s WHERE id = %s", (schedule_id, batch_id))


def pause_schedule(conn: Connection, id_: int, paused_by: str) -> bool:
    """Pause a schedule. Return False if it is already paused."""
    return bool(
        conn.execute(
            "UPDATE schedules SET paused_at = now(), paused_by = %s WHERE id = %s AND paused_at IS NULL",
            (paused_by, id_),
        ).rowcount
    )


def resume_schedule(conn: Connection, id_: int, next_at: datetime, owner_id: int | None) -> bool:
    """Resume a schedule at ``next_at``, with the rights of ``owner_id``. Return False if it is not paused."""
    return bool(
        conn.execute(
            "UPDATE schedules SET paused_at = NULL, paused_by = NULL, next_at = %s, owner_id = %s"
            " WHERE id = %s AND paused_at IS NOT NULL",
            (next_at, owner_id, id_),
        ).rowcount
    )


def delete_schedule(conn: Connection, id_: int) -> None:
    """Delete a schedule. Its batches stay."""
    conn.execute("DELETE FROM schedules WHERE id = %s", (id_,))
