"""Asks for the batches of schedules whose time has come: once a time, whichever worker is first. It runs
beside every worker of runs; with no worker nobody could carry the runs out either.
"""

import asyncio
import logging
from datetime import timedelta
from typing import Final

from hrims import db
from hrims.access.audit import Actor
from hrims.config import Settings
from hrims.db import AsyncPool, Connection
from hrims.errors import NotAcceptable
from hrims.schedules import calendar, decide, store
from hrims.steady import for_ever

LOOK: Final = 2.0
"""Seconds between two looks."""

LATE: Final = timedelta(minutes=10)
"""How late a time is asked for as if it were not; later it was missed."""

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
    with db.connect(db.dsn_of(settings)) as conn:
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
        now = store.now(conn)
        due, following = one.next_at, calendar.upcoming(one.cron, one.zone, one.next_at, 1)[0]
        while following <= now:
            store.fired(conn, one.id, due, "skipped", None)
            due, following = following, calendar.upcoming(one.cron, one.zone, following, 1)[0]
        became, batch_id = "skipped", None
        if now - due <= LATE or one.missed == "once":
            became, batch_id = _ask(conn, one)
        store.fired(conn, one.id, due, became, batch_id)
        store.due_next(conn, one.id, following)
    log.info("schedule %s of %s: %s", one.id, due.isoformat(timespec="minutes"), became)
    return True


def _ask(conn: Connection, one: store.Schedule) -> tuple[str, int | None]:
    try:
        return "asked", decide.ask_for(conn, Actor(f"schedule:{one.name}", "system"), one)
    except NotAcceptable:
        return "nobody_meant", None
