"""Endpoints, messages and tries, in SQL.

Functions named ``async`` serve the worker, the others web and command line. Each works inside its caller's
transaction. That a message has its job, and that every run's end has its messages, is the database's part:
migration 0012.
"""

from datetime import datetime
from typing import NamedTuple

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from hrims.db import AsyncConnection, Connection


class Due(NamedTuple):
    """A message that its job may deliver, with what it takes to sign it."""

    id: int
    key: str
    body: bytes
    failures: int
    endpoint_id: int
    url: str
    secret: bytes | None
    """None of an endpoint that was removed."""
    active: bool


# What administrators do


def insert_endpoint(conn: Connection, url: str, description: str, secret: bytes, made_by: str) -> int:
    """Adds an endpoint that is switched on; returns its id."""
    row = conn.execute(
        "INSERT INTO webhook_endpoints (url, description, secret, made_by)"
        " VALUES (%s, %s, %s, %s) RETURNING id",
        (url, description, secret, made_by),
    ).fetchone()
    assert row is not None
    return int(row[0])


def switch(conn: Connection, endpoint_id: int, active: bool) -> bool:
    """Switches an endpoint on or off; False when it is so already."""
    switched = conn.execute(
        "UPDATE webhook_endpoints SET active = %s, off_because = NULL"
        " WHERE id = %s AND active <> %s AND removed_at IS NULL",
        (active, endpoint_id, active),
    )
    return bool(switched.rowcount)


def remove_endpoint(conn: Connection, endpoint_id: int) -> None:
    """Removes an endpoint and its secret; ``delete_removed`` deletes its messages."""
    conn.execute(
        "UPDATE webhook_endpoints SET active = false, off_because = NULL, secret = NULL, removed_at = now()"
        " WHERE id = %s AND removed_at IS NULL",
        (endpoint_id,),
    )


def insert_test(conn: Connection, endpoint_id: int) -> str:
    """A message that tells of no run, and its job; returns its key."""
    row = conn.execute(
        """
        INSERT INTO webhook_messages (endpoint_id, event, payload)
        VALUES (%s, 'webhook.test', jsonb_build_object('type', 'webhook.test',
                'timestamp', webhook_time(now()), 'data', %s))
        RETURNING key
        """,
        (endpoint_id, Jsonb({"message": "A test, sent by hand. No run has ended."})),
    ).fetchone()
    assert row is not None
    return str(row[0])


def send_again(conn: Connection, message_id: int) -> bool:
    """A message that has ended gets a new job and a full set of tries; False when it is on its way."""
    sent = conn.execute(
        """
        UPDATE webhook_messages
        SET state = 'waiting', failures = 0, ended_at = NULL, trouble = NULL, queue_job_id = NULL
        WHERE id = %s AND state <> 'waiting'
        """,
        (message_id,),
    )
    return bool(sent.rowcount)


# What the worker does


async def due(conn: AsyncConnection, message_id: int, queue_job_id: int) -> Due | None:
    """The message, if this job has a say in it still."""
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


async def note_try(
    conn: AsyncConnection, message_id: int, at: datetime, status: int | None, trouble: str | None, ms: int
) -> None:
    """Keeps a try; of a message that was removed meanwhile nothing."""
    await conn.execute(
        """
        INSERT INTO webhook_tries (message_id, number, at, status, trouble, milliseconds)
        SELECT m.id, (SELECT coalesce(max(number), 0) + 1 FROM webhook_tries WHERE message_id = m.id),
               %(at)s, %(status)s, %(trouble)s, %(ms)s
        FROM (SELECT id FROM webhook_messages WHERE id = %(message)s FOR NO KEY UPDATE) m
        """,
        {"message": message_id, "at": at, "status": status, "trouble": trouble, "ms": ms},
    )


async def settle(
    conn: AsyncConnection,
    message_id: int,
    queue_job_id: int,
    trouble: str | None,
    next_try_at: datetime | None,
) -> bool:
    """How a message stands after a try: delivered without trouble, else waiting for the next try, else
    failed. False when this job has no say in it any more.
    """
    settled = await conn.execute(
        """
        UPDATE webhook_messages
        SET state = CASE WHEN %(trouble)s::text IS NULL THEN 'delivered'
                         WHEN %(at)s::timestamptz IS NULL THEN 'failed' ELSE 'waiting' END,
            failures = failures + (%(trouble)s::text IS NOT NULL)::integer,
            trouble = %(trouble)s, next_try_at = %(at)s,
            ended_at = CASE WHEN %(at)s::timestamptz IS NULL THEN now() END
        WHERE id = %(message)s AND queue_job_id = %(job)s AND state = 'waiting'
        """,
        {"message": message_id, "job": queue_job_id, "trouble": trouble, "at": next_try_at},
    )
    return bool(settled.rowcount)


async def switch_off(conn: AsyncConnection, endpoint_id: int, because: str) -> None:
    """Switches an endpoint off that asked for it, and says so in the audit record."""
    await conn.execute(
        """
        WITH off AS (
            UPDATE webhook_endpoints SET active = false, off_because = %(because)s
            WHERE id = %(endpoint)s AND active RETURNING id
        )
        INSERT INTO audit_log (actor, via, action, subject, details)
        SELECT 'worker', 'system', 'webhook.off', 'webhook:' || id,
               jsonb_build_object('because', %(because)s::text)
        FROM off
        """,
        {"endpoint": endpoint_id, "because": because},
    )


async def queue_orphans(conn: AsyncConnection) -> int:
    """Messages on their way whose job has ended without them get a new one; returns how many."""
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


async def delete_old(conn: AsyncConnection, days: int, most: int) -> int:
    """Deletes messages that ended more than so many days ago; returns how many."""
    deleted = await conn.execute(
        """
        DELETE FROM webhook_messages WHERE id IN (
            SELECT id FROM webhook_messages
            WHERE state <> 'waiting' AND ended_at < now() - make_interval(days => %s)
            ORDER BY ended_at LIMIT %s FOR UPDATE SKIP LOCKED)
        """,
        (days, most),
    )
    return deleted.rowcount


async def delete_removed(conn: AsyncConnection, most: int) -> int:
    """Deletes messages of endpoints that were removed, and the endpoints that have none left; returns how
    many messages.
    """
    deleted = await conn.execute(
        """
        DELETE FROM webhook_messages WHERE id IN (
            SELECT m.id FROM webhook_messages m JOIN webhook_endpoints e ON e.id = m.endpoint_id
            WHERE e.removed_at IS NOT NULL LIMIT %s FOR UPDATE OF m SKIP LOCKED)
        """,
        (most,),
    )
    await conn.execute(
        """
        DELETE FROM webhook_endpoints e WHERE removed_at IS NOT NULL
          AND NOT EXISTS (SELECT FROM webhook_messages m WHERE m.endpoint_id = e.id)
        """
    )
    return deleted.rowcount
