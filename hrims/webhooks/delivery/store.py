"""The SQL of deliveries, for the worker. Each function works inside its caller's transaction."""

from datetime import datetime
from typing import NamedTuple

from psycopg.rows import class_row

from hrims.db import AsyncConnection


class Due(NamedTuple):
    """A message that its job may deliver, with the encrypted secret that signs it."""

    id: int
    key: str
    body: bytes
    failures: int
    endpoint_id: int
    url: str
    secret: bytes | None
    """None if the endpoint was removed."""
    active: bool


async def find_due(conn: AsyncConnection, message_id: int, queue_job_id: int) -> Due | None:
    """Return the message if it still belongs to this job."""
    async with conn.cursor(row_factory=class_row(Due)) as cursor:
        found = await cursor.execute(
            """
            SELECT m.id, m.key, convert_to(m.payload::text, 'UTF8') AS body, m.failures, m.endpoint_id, e.url,
                   e.secret, e.active
            FROM webhook_messages m JOIN webhook_endpoints e ON e.id = m.endpoint_id
            WHERE m.id = %s AND m.queue_job_id = %s AND m.state = 'waiting'
            """,
            (message_id, queue_job_id),
        )
        return await found.fetchone()


async def record_attempt(
    conn: AsyncConnection, message_id: int, at: datetime, status: int | None, error: str | None, ms: int
) -> None:
    """Record an attempt. Do nothing if the message was deleted meanwhile."""
    await conn.execute(
        """
        INSERT INTO webhook_tries (message_id, number, at, status, trouble, milliseconds)
        SELECT m.id, (SELECT coalesce(max(number), 0) + 1 FROM webhook_tries WHERE message_id = m.id),
               %(at)s, %(status)s, %(error)s, %(ms)s
        FROM (SELECT id FROM webhook_messages WHERE id = %(message)s FOR NO KEY UPDATE) m
        """,
        {"message": message_id, "at": at, "status": status, "error": error, "ms": ms},
    )


async def finish_delivery(
    conn: AsyncConnection,
    message_id: int,
    queue_job_id: int,
    error: str | None,
    next_try_at: datetime | None,
) -> bool:
    """Set the state of a message after an attempt. Return False if it no longer belongs to this job.

    The message is delivered without an error, waiting if another attempt follows, and failed otherwise.
    """
    updated = await conn.execute(
        """
        UPDATE webhook_messages
        SET state = CASE WHEN %(error)s::text IS NULL THEN 'delivered'
                         WHEN %(at)s::timestamptz IS NULL THEN 'failed' ELSE 'waiting' END,
            failures = failures + (%(error)s::text IS NOT NULL)::integer,
            trouble = %(error)s, next_try_at = %(at)s,
            ended_at = CASE WHEN %(at)s::timestamptz IS NULL THEN now() END
        WHERE id = %(message)s AND queue_job_id = %(job)s AND state = 'waiting'
        """,
        {"message": message_id, "job": queue_job_id, "error": error, "at": next_try_at},
    )
    return bool(updated.rowcount)


async def switch_off(conn: AsyncConnection, endpoint_id: int, reason: str) -> None:
    """Switch off an endpoint because its receiver asked for it, and write an audit record."""
    await conn.execute(
        """
        WITH off AS (
            UPDATE webhook_endpoints SET active = false, off_because = %(reason)s
            WHERE id = %(endpoint)s AND active RETURNING id
        )
        SELECT audit_insert('worker', 'worker', 'webhook.off', 'webhook:' || id, '{}', reason => %(reason)s)
        FROM off
        """,
        {"endpoint": endpoint_id, "reason": reason},
    )


async def insert_heads(conn: AsyncConnection, seconds: float) -> None:
    """Insert a message with the head of the audit chain for each enabled endpoint.

    Leave out endpoints that are new or got one within ``seconds``, and those that have this head already.
    """
    await conn.execute(
        """
        INSERT INTO webhook_messages (endpoint_id, event, payload)
        SELECT e.id, 'audit.head', jsonb_build_object(
            'type', 'audit.head', 'timestamp', webhook_time(now()), 'data', jsonb_build_object(
                'database', current_database(), 'sequence', h.sequence, 'hash', encode(h.hash, 'hex')))
        FROM (SELECT id, made_at FROM webhook_endpoints WHERE active ORDER BY id FOR KEY SHARE) e
        CROSS JOIN (SELECT sequence, hash FROM audit_chain ORDER BY sequence DESC LIMIT 1) h
        WHERE e.made_at < now() - make_interval(secs => %(seconds)s) AND NOT EXISTS (
            SELECT FROM webhook_messages m
            WHERE m.endpoint_id = e.id AND m.event = 'audit.head'
              AND (m.created_at > now() - make_interval(secs => %(seconds)s)
                   OR m.payload #>> '{data,sequence}' = h.sequence::text))
        """,
        {"seconds": seconds},
    )


async def enqueue_orphans(conn: AsyncConnection) -> int:
    """Enqueue a new job for waiting messages whose job ended without them. Return how many."""
    queued = await conn.execute(
        """
        UPDATE webhook_messages SET queue_job_id = NULL, next_try_at = NULL WHERE id IN (
            SELECT m.id FROM webhook_messages m WHERE m.state = 'waiting' AND NOT EXISTS (
                SELECT FROM procrastinate_jobs j
                WHERE j.id = m.queue_job_id AND j.status IN ('todo', 'doing'))
            ORDER BY m.id LIMIT 100 FOR UPDATE SKIP LOCKED)
        """
    )
    return queued.rowcount


async def delete_expired(conn: AsyncConnection, days: int, limit: int) -> int:
    """Delete messages that ended more than ``days`` days ago. Return how many."""
    deleted = await conn.execute(
        """
        DELETE FROM webhook_messages WHERE id IN (
            SELECT id FROM webhook_messages
            WHERE state <> 'waiting' AND ended_at < now() - make_interval(days => %s)
            ORDER BY ended_at LIMIT %s FOR UPDATE SKIP LOCKED)
        """,
        (days, limit),
    )
    return deleted.rowcount


async def delete_removed(conn: AsyncConnection, limit: int) -> int:
    """Delete messages of removed endpoints, and removed endpoints without messages.

    Return how many messages were deleted.
    """
    deleted = await conn.execute(
        """
        DELETE FROM webhook_messages WHERE id IN (
            SELECT m.id FROM webhook_messages m JOIN webhook_endpoints e ON e.id = m.endpoint_id
            WHERE e.removed_at IS NOT NULL LIMIT %s FOR UPDATE OF m SKIP LOCKED)
        """,
        (limit,),
    )
    await conn.execute(
        """
        DELETE FROM webhook_endpoints e WHERE removed_at IS NOT NULL
          AND NOT EXISTS (SELECT FROM webhook_messages m WHERE m.endpoint_id = e.id)
        """
    )
    return deleted.rowcount
