"""Asks for the batches of schedules whose time has come: once a time, whichever worker is first. It runs
beside every worker of runs; with no worker nobody could carry the runs out either.
"""

import asyncio
import logging
import os
import platform
from datetime import datetime, timedelta
from typing import Final

import psycopg

from hrims import db
from hrims.access.audit import Actor, record
from hrims.config import Settings
from hrims.db import AsyncPool, Connection
from hrims.errors import InputError
from hrims.jobs.queue import session_name
from hrims.jobs.workers import beat
from hrims.schedules import calendar, decide, store
from hrims.steady import for_ever, is_temporary, is_unclear

LOOK: Final = 2.0
"""Seconds between two looks."""

LATE: Final = timedelta(minutes=10)
"""How late a time is asked for as if it were not; later it was missed."""

SYSTEM: Final = "the system"
"""Who pauses a schedule that cannot be read."""

log = logging.getLogger(__name__)


async def keep_firing(pool: AsyncPool, settings: Settings) -> None:
    """Looks for schedules that are due, for ever; a database that is away is waited for."""

    async def look() -> None:
        async with pool.connection() as conn:
            due = await store.is_due(conn)
        if due:
            # A batch is asked for as a person asks for it, which waits for the database in this thread.
            await asyncio.to_thread(_fire_all, settings)

    await for_ever("look for schedules", LOOK, look)


def _fire_all(settings: Settings) -> None:
    # Should this worker freeze now, others find its session by that name, and end it.
    name = session_name(beat.PROCESS, os.getpid(), platform.node())
    with db.connect(db.dsn_of(settings), application_name=name) as conn:
        while fire_one(conn):
            pass


def fire_one(conn: Connection) -> bool:
    """Asks for the batch of one schedule whose time has come, in one transaction; False when none is due.

    Of several times that passed meanwhile the last is asked for, or none, as the schedule says.
    """
    with conn.transaction():
        one = store.hold_due(conn)
        if one is None:
            return False
        try:
            due, following = _pass_over(conn, one)
        except (ValueError, KeyError) as reason:
            # Its zone or line is none to this machine: others go on, and somebody has to look at it.
            log.warning("schedule %s cannot be read here (%s); it is paused", one.id, type(reason).__name__)
            store.pause(conn, one.id, SYSTEM)
            record(conn, Actor(SYSTEM, "system"), "schedule.pause", f"schedule:{one.id}")
            return True
        became, batch_id = "skipped", None
        is_late = store.now(conn) - due > LATE
        if (not is_late or one.missed == "once") and not store.was_fired(conn, one.id, due):
            became, batch_id = _ask(conn, one, is_late)
        store.fired(conn, one.id, due, became, batch_id)
        store.due_next(conn, one.id, following)
    log.info("schedule %s of %s: %s", one.id, due.isoformat(timespec="minutes"), became)
    return True


def _pass_over(conn: Connection, one: store.Schedule) -> tuple[datetime, datetime]:
    """The last of the times that have come, and the one after it; those before it are written down
    as skipped.
    """
    now, due = store.now(conn), one.next_at
    for following in calendar.times(one.cron, one.zone, one.next_at):
        if following > now:
            return due, following
        store.fired(conn, one.id, due, "skipped", None)
        due = following
    raise ValueError("a schedule has no end")


def _ask(conn: Connection, one: store.Schedule, is_late: bool) -> tuple[str, int | None]:
    """What became of its time. Whatever is wrong with one schedule keeps no other from its own.

    Raises a database error if the time is to stay due, and to be asked for at the next look.
    """
    try:
        with conn.transaction():
            return "asked", decide.ask_for(conn, Actor(f"schedule:{one.name}", "system"), one)
    except InputError:
        return "nobody_meant", None
    except psycopg.Error as reason:
        if is_temporary(reason) and not (is_late and is_unclear(reason)):
            raise
        log.warning("schedule %s could not be asked for (%s)", one.id, type(reason).__name__)
        return "failed", None
