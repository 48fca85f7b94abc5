"""Whether and how often runs start, in SQL. Each function works inside its caller's transaction."""

from datetime import datetime
from typing import NamedTuple

from psycopg.rows import class_row

from hrims.db import AsyncConnection, Connection


class Queue(NamedTuple):
    """How the queue stands: starts a minute, whether a person said so or the environment, and the pause."""

    starts_per_minute: int
    by_person: bool
    by_environment: int
    paused_at: datetime | None
    paused_by: str | None
    paused_why: str | None


def read(conn: Connection) -> Queue:
    """How the queue stands."""
    with conn.cursor(row_factory=class_row(Queue)) as cursor:
        found = cursor.execute(
            """
            SELECT starts_per_minute() AS starts_per_minute, starts_by_person IS NOT NULL AS by_person,
                   starts_by_environment AS by_environment, paused_at, paused_by, paused_why
            FROM queue_settings
            """
        ).fetchone()
    assert found is not None
    return found


async def tell_limit(conn: AsyncConnection, starts_per_minute: int) -> None:
    """What the environment of the worker that began last says, unless a person said otherwise."""
    await conn.execute(
        "UPDATE queue_settings SET starts_by_environment = %(n)s WHERE starts_by_environment <> %(n)s",
        {"n": starts_per_minute},
    )


def limit(conn: Connection, starts_per_minute: int | None) -> int:
    """What a person says, None to leave it to the environment again; returns what held before."""
    row = conn.execute(
        """
        WITH held AS (SELECT starts_by_person, starts_by_environment FROM queue_settings FOR UPDATE)
        UPDATE queue_settings SET starts_by_person = %s FROM held
        RETURNING coalesce(held.starts_by_person, held.starts_by_environment)
        """,
        (starts_per_minute,),
    ).fetchone()
    assert row is not None
    before: int = row[0]
    return before


def pause(conn: Connection, who: str, why: str) -> bool:
    """Nothing starts from now on; False when it is so already."""
    return bool(
        conn.execute(
            "UPDATE queue_settings SET paused_at = now(), paused_by = %s, paused_why = %s"
            " WHERE paused_at IS NULL",
            (who, why),
        ).rowcount
    )


def go_on(conn: Connection) -> bool:
    """Runs start again; False when they do."""
    return bool(
        conn.execute(
            "UPDATE queue_settings SET paused_at = NULL, paused_by = NULL, paused_why = NULL"
            " WHERE paused_at IS NOT NULL"
        ).rowcount
    )


TURN = "SELECT priority, pool FROM runs WHERE id = %s"


class Turn(NamedTuple):
    """How urgent a run is, and which pool's workers carry it out; None is for those of no pool."""

    priority: str
    pool: str | None


def turn(conn: Connection, run_id: int) -> Turn:
    """How a run is queued."""
    row = conn.execute(TURN, (run_id,)).fetchone()
    assert row is not None
    return Turn(*row)


async def turn_async(conn: AsyncConnection, run_id: int) -> Turn:
    """The same, for the worker."""
    row = await (await conn.execute(TURN, (run_id,))).fetchone()
    assert row is not None
    return Turn(*row)


def start_now(conn: Connection, run_id: int) -> bool:
    """Takes the hours in which a run does not start, and its place among those that are spread, from one that
    waits for them, and from its job; False when it waits for neither.
    """
    return bool(
        conn.execute(
            """
            WITH held AS (
                SELECT id, queue_job_id FROM runs
                WHERE id = %s AND state = 'waiting' AND (not_before > now() OR quiet_from IS NOT NULL)
                FOR NO KEY UPDATE
            ), job AS (
                UPDATE procrastinate_jobs j SET scheduled_at = NULL
                FROM held h WHERE j.id = h.queue_job_id AND j.status = 'todo'
            )
            UPDATE runs r SET not_before = NULL, quiet_from = NULL, quiet_until = NULL, quiet_zone = NULL
            FROM held h WHERE r.id = h.id
            """,
            (run_id,),
        ).rowcount
    )


def prioritise(
    conn: Connection, run_id: int, priority: str, number: int, among: list[str] | None = None
) -> str | None:
    """Makes a run that waits as urgent as said, and its job, where it was one of ``among`` (None: whatever it
    was); returns what it was, None when nothing was changed.
    """
    row = conn.execute(
        """
        WITH held AS (
            SELECT id, priority, queue_job_id FROM runs
            WHERE id = %(run)s AND state IN ('waiting', 'delayed')
              AND priority = ANY(coalesce(%(among)s::text[], ARRAY[priority]))
            FOR NO KEY UPDATE
        ), job AS (
            UPDATE procrastinate_jobs j SET priority = %(number)s
            FROM held h WHERE j.id = h.queue_job_id AND j.status = 'todo'
        )
        UPDATE runs r SET priority = %(priority)s FROM held h WHERE r.id = h.id RETURNING h.priority
        """,
        {"run": run_id, "priority": priority, "number": number, "among": among},
    ).fetchone()
    return row[0] if row else None
