"""Schedules, in SQL. Each function works inside its caller's transaction."""

from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
from psycopg.rows import class_row

from hrims.db import AsyncConnection, Connection, statements

SQL = statements(Path(__file__).with_name("schedules.sql"))


@dataclass(frozen=True)
class Schedule:
    """A schedule as it is kept; times of the day are those of its zone."""

    id: int
    name: str
    cron: str
    time_zone: str
    wish: str
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

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.time_zone)


@dataclass(frozen=True)
class Firing:
    """A time at which a schedule was due, and what became of it: ``asked``, ``skipped``,
    ``nobody_meant`` or ``failed``.
    """

    schedule_id: int
    due_at: datetime
    fired_at: datetime
    became: str
    batch_id: int | None


def now(conn: Connection) -> datetime:
    """The database's time, by which every schedule goes."""
    row = conn.execute("SELECT clock_timestamp()").fetchone()
    assert row is not None
    found: datetime = row[0]
    return found


def knows_zone(conn: Connection, zone: str) -> bool:
    """Whether the database can tell the time there: a run's quiet hours are judged by it."""
    try:
        with conn.transaction():
            conn.execute("SELECT now() AT TIME ZONE %s", (zone,))
    except psycopg.DataError:
        return False
    return True


def insert(conn: Connection, schedule: dict[str, Any], made_by: str) -> int | None:
    """Adds a schedule; returns its id, None when there is one of this name."""
    row = conn.execute(SQL["insert"], {**schedule, "made_by": made_by}).fetchone()
    return row[0] if row else None


def update(conn: Connection, id_: int, schedule: dict[str, Any]) -> None:
    """Changes a schedule. Raises psycopg.errors.UniqueViolation when there is another one of this name."""
    conn.execute(SQL["update"], {**schedule, "id": id_})


def hold(conn: Connection, id_: int) -> Schedule | None:
    """A schedule, held until the transaction ends."""
    return _one(conn, b"WHERE id = %s FOR UPDATE", (id_,))


def hold_due(conn: Connection) -> Schedule | None:
    """A schedule whose time has come and that nobody else holds, held until the transaction ends."""
    return _one(
        conn,
        b"WHERE paused_at IS NULL AND next_at <= clock_timestamp() ORDER BY next_at LIMIT 1"
        b" FOR UPDATE SKIP LOCKED",
    )


async def is_due(conn: AsyncConnection) -> bool:
    """Whether the time of any schedule has come."""
    due = "SELECT EXISTS (SELECT FROM schedules WHERE paused_at IS NULL AND next_at <= now())"
    row = await (await conn.execute(due)).fetchone()
    return bool(row and row[0])


def read(conn: Connection, id_: int) -> Schedule | None:
    """One schedule."""
    return _one(conn, b"WHERE id = %s", (id_,))


def _one(conn: Connection, which: bytes, given: tuple[Any, ...] = ()) -> Schedule | None:
    with conn.cursor(row_factory=class_row(Schedule)) as cursor:
        return cursor.execute(SQL["read"] + b"\n" + which, given).fetchone()


def schedules(conn: Connection) -> list[Schedule]:
    """All of them, by name."""
    with conn.cursor(row_factory=class_row(Schedule)) as cursor:
        return cursor.execute(SQL["read"] + b"\nORDER BY lower(name), id").fetchall()


def fired(conn: Connection, schedule_id: int, due_at: datetime, became: str, batch_id: int | None) -> None:
    """Writes down what became of a time, unless that was done before."""
    conn.execute(
        "INSERT INTO schedule_firings (schedule_id, due_at, became, batch_id) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT DO NOTHING",
        (schedule_id, due_at, became, batch_id),
    )


def was_fired(conn: Connection, schedule_id: int, due_at: datetime) -> bool:
    """Whether it is written down what became of a time; ask while the schedule is held."""
    row = conn.execute(
        "SELECT EXISTS (SELECT FROM schedule_firings WHERE schedule_id = %s AND due_at = %s)",
        (schedule_id, due_at),
    ).fetchone()
    return bool(row and row[0])


def firings(conn: Connection, schedule_id: int, most: int) -> list[Firing]:
    """The latest times of a schedule."""
    with conn.cursor(row_factory=class_row(Firing)) as cursor:
        return cursor.execute(
            "SELECT schedule_id, due_at, fired_at, became, batch_id FROM schedule_firings"
            " WHERE schedule_id = %s ORDER BY due_at DESC LIMIT %s",
            (schedule_id, most),
        ).fetchall()


def due_next(conn: Connection, id_: int, next_at: datetime) -> None:
    """Says when a schedule is due next."""
    conn.execute("UPDATE schedules SET next_at = %s WHERE id = %s", (next_at, id_))


def belongs_to(conn: Connection, batch_id: int, schedule_id: int) -> None:
    """Notes which schedule asked for a batch."""
    conn.execute("UPDATE batches SET schedule_id = %s WHERE id = %s", (schedule_id, batch_id))


def pause(conn: Connection, id_: int, who: str) -> bool:
    """It asks for nothing from now on; False when it is so already."""
    return bool(
        conn.execute(
            "UPDATE schedules SET paused_at = now(), paused_by = %s WHERE id = %s AND paused_at IS NULL",
            (who, id_),
        ).rowcount
    )


def go_on(conn: Connection, id_: int, next_at: datetime) -> bool:
    """It asks again, from its next time on; False when it does."""
    return bool(
        conn.execute(
            "UPDATE schedules SET paused_at = NULL, paused_by = NULL, next_at = %s"
            " WHERE id = %s AND paused_at IS NOT NULL",
            (next_at, id_),
        ).rowcount
    )


def remove(conn: Connection, id_: int) -> None:
    """Deletes a schedule; the batches that it asked for stay."""
    conn.execute("DELETE FROM schedules WHERE id = %s", (id_,))
