"""SQL of the rate limit, the pause and priorities. Each function runs inside its caller's transaction."""

from datetime import datetime
from typing import NamedTuple

from psycopg.rows import class_row

from hrims.db import AsyncConnection, Connection


class Queue(NamedTuple):
    """The state of the queue: starts per minute, whether a user or the environment set them, and
    the pause.
    """

    starts_per_minute: int
    by_person: bool
    by_environment: int
    paused_at: datetime | None
    paused_by: str | None
    paused_why: str | None


def read_queue(conn: Connection) -> Queue:
    """Return the state of the queue."""
    with conn.cursor(row_factory=class_row(Queue)) as cursor:
        row = cursor.execute(
            """
            SELECT starts_per_minute() AS starts_per_minute, starts_by_person IS NOT NULL AS by_person,
                   starts_by_environment AS by_environment, paused_at, paused_by, paused_why
            FROM queue_settings
            """
        ).fetchone()
    assert row is not None
    return row


async def publish_limit(conn: AsyncConnection, starts_per_minute: int) -> None:
    """Save the limit in the environment of this worker. The limit of a user, if set, overrides it."""
    await conn.execute(
        "UPDATE queue_settings SET starts_by_environment = %(n)s WHERE starts_by_environment <> %(n)s",
        {"n": starts_per_minute},
    )


def set_limit(conn: Connection, starts_per_minute: int | None) -> int:
    """Save the limit that a user sets; None restores that of the environment. Return the previous limit."""
    row = conn.execute(
        """
        WITH held AS (SELECT starts_by_person, starts_by_environment FROM queue_settings FOR UPDATE)
        UPDATE queue_settings SET starts_by_person = %s FROM held
        RETURNING coalesce(held.starts_by_person, held.starts_by_environment)
        """,
        (starts_per_minute,),
    ).fetchone()
    assert row is not None
    previous: int = row[0]
    return previous


def pause(conn: Connection, actor_name: str, reason: str) -> bool:
    """Pause the queue. Return False if it was paused already."""
    return bool(
        conn.execute(
            "UPDATE queue_settings SET paused_at = now(), paused_by = %s, paused_why = %s"
            " WHERE paused_at IS NULL",
            (actor_name, reason),
        ).rowcount
    )


def resume(conn: Connection) -> bool:
    """Resume the queue. Return False if it was not paused."""
    return bool(
        conn.execute(
            "UPDATE queue_settings SET paused_at = NULL, paused_by = NULL, paused_why = NULL"
            " WHERE paused_at IS NOT NULL"
        ).rowcount
    )


QUEUE_PARAMS = "SELECT priority, pool, request_id FROM runs WHERE id = %s"


class QueueParams(NamedTuple):
    """The priority of a run, and the pool whose workers execute it; None means workers without a pool."""

    priority: str
    pool: str | None
    request_id: str | None = None


def find_queue_params(conn: Connection, run_id: int) -> QueueParams:
    """Return the queue parameters of a run."""
    row = conn.execute(QUEUE_PARAMS, (run_id,)).fetchone()
    assert row is not None
    return QueueParams(*row)


async def find_queue_params_async(conn: AsyncConnection, run_id: int) -> QueueParams:
    """Return the queue parameters of a run. For workers."""
    row = await (await conn.execute(QUEUE_PARAMS, (run_id,))).fetchone()
    assert row is not None
    return QueueParams(*row)


def start_now(conn: Connection, run_id: int) -> bool:
    """Let a waiting run start immediately: remove its quiet hours and its delay within a spread batch.

    Update its job too. Return False if the run waits for neither.
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


def set_priority(
    conn: Connection, run_id: int, priority: str, number: int, current: list[str] | None = None
) -> str | None:
    """Set the priority of a waiting run and of its job, if its present priority is one of ``current`` or that
    is None.

    Return the previous priority; None if nothing was changed.
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
        {"run": run_id, "priority": priority, "number": number, "among": current},
    ).fetchone()
    return row[0] if row else None
