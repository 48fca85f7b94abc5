"""Starts the batches of due schedules: once per time, whichever worker is first.

It runs as a background task of every worker of runs; without a worker no run could be executed anyway.
"""

import asyncio
import os
import platform
from datetime import datetime, timedelta
from typing import Final

import psycopg

from hrims import db, metrics, request_ids
from hrims.access import users
from hrims.access.actor import system
from hrims.access.audit import record
from hrims.access.permissions import Permission
from hrims.config import Settings
from hrims.db import AsyncPool, Connection
from hrims.errors import InputError
from hrims.jobs.queue import session_name
from hrims.jobs.workers import heartbeat
from hrims.log import get_logger
from hrims.resilience import is_temporary, is_unclear, name_of, run_periodically
from hrims.schedules import actions, calendar, store

CHECK_SECONDS: Final = 2.0
"""Seconds between two checks."""

MISFIRE_GRACE: Final = timedelta(minutes=10)
"""A time is missed if it is processed later than this."""

SYSTEM: Final = "the system"
"""The actor that pauses an unreadable schedule."""

log = get_logger(__name__)


async def run_scheduler(pool: AsyncPool, settings: Settings) -> None:
    """Enqueue the batches of due schedules until it is cancelled. It survives an unavailable database."""

    async def start_due() -> None:
        async with pool.connection() as conn:
            due = await store.is_due(conn)
        if due:
            # The batch is enqueued by the synchronous code of the pages, so it needs a thread.
            await asyncio.to_thread(_start_due, settings)

    await run_periodically("scheduler", CHECK_SECONDS, start_due)


def _start_due(settings: Settings) -> None:
    # If this worker freezes, other workers find its session by this name and terminate it.
    name = session_name(heartbeat.PROCESS_ID, os.getpid(), platform.node())
    with db.connect(db.dsn_of(settings), application_name=name) as conn:
        while fire_due_schedule(conn):
            pass


def fire_due_schedule(conn: Connection) -> bool:
    """Process one due schedule in one transaction. Return False if none is due.

    If several times have passed, only the last one can start a batch. If it is late,
    ``missed`` decides whether it does.
    """
    with conn.transaction():
        schedule = store.lock_due_schedule(conn)
        if schedule is None:
            return False
        try:
            due, following = _skip_passed_times(conn, schedule)
        except (ValueError, KeyError) as error:
            # This machine cannot read its time zone or cron expression. Pause it, so that the other
            # schedules continue and an administrator can repair it.
            log.warning("schedule_paused", schedule=schedule.id, error=name_of(error))
            store.pause_schedule(conn, schedule.id, SYSTEM)
            record(conn, system(SYSTEM), "schedule.pause", f"schedule:{schedule.id}")
            return True
        result, batch_id = "skipped", None
        is_late = store.now(conn) - due > MISFIRE_GRACE
        if (not is_late or schedule.missed == "once") and not store.has_firing(conn, schedule.id, due):
            result, batch_id = _enqueue_batch(conn, schedule, is_late)
        store.record_firing(conn, schedule.id, due, result, batch_id)
        store.set_next_at(conn, schedule.id, following)
    metrics.SCHEDULE_TIMES.labels(result).inc()
    log.info("schedule_fired", schedule=schedule.id, due=due.isoformat(timespec="minutes"), result=result)
    return True


def _skip_passed_times(conn: Connection, schedule: store.Schedule) -> tuple[datetime, datetime]:
    """Return the last time that has passed and the time after it. Record the times before it as skipped."""
    now, due = store.now(conn), schedule.next_at
    for following in calendar.iterate_times(schedule.cron, schedule.zone, schedule.next_at):
        if following > now:
            return due, following
        store.record_firing(conn, schedule.id, due, "skipped", None)
        metrics.SCHEDULE_TIMES.labels("skipped").inc()
        due = following
    raise ValueError("a schedule has no end")


def _enqueue_batch(conn: Connection, schedule: store.Schedule, is_late: bool) -> tuple[str, int | None]:
    """Enqueue the batch of a due time with the rights of its owner. Return the result and the batch id.

    An error in one schedule does not stop the others. Raises a database error if the time must stay due, so
    that the next check retries it.
    """
    owner = users.identify_owner(conn, schedule.owner_id, f"schedule:{schedule.name}", "schedule")
    if owner is None or not owner.can(Permission.SYNC):
        log.warning("schedule_refused", schedule=schedule.id)
        return "refused", None
    try:
        with conn.transaction():
            return "enqueued", actions.enqueue_batch(
                conn, owner._replace(request_id=request_ids.new()), schedule
            )
    except InputError:
        return "none_selected", None
    except psycopg.Error as error:
        if is_temporary(error) and not (is_late and is_unclear(error)):
            raise
        log.warning("schedule_failed", schedule=schedule.id, error=name_of(error))
        return "failed", None
