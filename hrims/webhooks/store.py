"""The SQL of endpoints, messages and attempts, for administrators. It never reads a secret.

Each function works inside its caller's transaction. Triggers insert the messages when a run ends and enqueue
the job of each message: migrations/0012_webhooks.sql.
"""

from datetime import datetime
from typing import Any, NamedTuple

from psycopg.rows import class_row
from psycopg.types.json import Jsonb

from hrims.db import Connection


class Endpoint(NamedTuple):
    """An endpoint without its secret, with the number of its waiting and failed messages."""

    id: int
    url: str
    description: str
    active: bool
    off_because: str | None
    made_by: str
    made_at: datetime
    waiting: int
    failed: int


class Message(NamedTuple):
    """A message and its state. ``status`` is the status of the last response."""

    id: int
    key: str
    endpoint_id: int
    url: str
    run_id: int | None
    event: str
    state: str
    payload: dict[str, Any]
    created_at: datetime
    next_try_at: datetime | None
    ended_at: datetime | None
    trouble: str | None
    tries: int
    status: int | None


class PastDelivery(NamedTuple):
    """One attempt to deliver a message."""

    number: int
    at: datetime
    status: int | None
    trouble: str | None
    milliseconds: int


ENDPOINTS = """
SELECT e.id, e.url, e.description, e.active, e.off_because, e.made_by, e.made_at,
       (SELECT count(*) FROM webhook_messages m
        WHERE m.endpoint_id = e.id AND m.state = 'waiting') AS waiting,
       (SELECT count(*) FROM webhook_messages m
        WHERE m.endpoint_id = e.id AND m.state = 'failed') AS failed
FROM webhook_endpoints e WHERE e.removed_at IS NULL
"""

MESSAGES = """
SELECT m.id, m.key, m.endpoint_id, e.url, m.run_id, m.event, m.state, m.payload, m.created_at, m.next_try_at,
       m.ended_at, m.trouble, coalesce(t.number, 0) AS tries, t.status
FROM webhook_messages m JOIN webhook_endpoints e ON e.id = m.endpoint_id AND e.removed_at IS NULL
LEFT JOIN LATERAL (SELECT number, status FROM webhook_tries
                   WHERE message_id = m.id ORDER BY number DESC LIMIT 1) t ON true
"""


def list_endpoints(conn: Connection) -> list[Endpoint]:
    """Return all endpoints, in the order in which they were added."""
    with conn.cursor(row_factory=class_row(Endpoint)) as cursor:
        return cursor.execute(f"{ENDPOINTS} ORDER BY e.id".encode()).fetchall()


def find_endpoint(conn: Connection, endpoint_id: int) -> Endpoint | None:
    """Return one endpoint."""
    with conn.cursor(row_factory=class_row(Endpoint)) as cursor:
        return cursor.execute(f"{ENDPOINTS} AND e.id = %s".encode(), (endpoint_id,)).fetchone()


def list_messages(conn: Connection, limit: int, skip: int = 0) -> list[Message]:
    """Return messages of all endpoints, newest first."""
    with conn.cursor(row_factory=class_row(Message)) as cursor:
        found = cursor.execute(f"{MESSAGES} ORDER BY m.id DESC LIMIT %s OFFSET %s".encode(), (limit, skip))
        return found.fetchall()


def find_message(conn: Connection, key: str) -> Message | None:
    """Return the message with this id, which receivers know."""
    with conn.cursor(row_factory=class_row(Message)) as cursor:
        return cursor.execute(f"{MESSAGES} WHERE m.key = %s".encode(), (key,)).fetchone()


def list_attempts(conn: Connection, message_id: int) -> list[PastDelivery]:
    """Return every attempt at a message, latest first."""
    with conn.cursor(row_factory=class_row(PastDelivery)) as cursor:
        return cursor.execute(
            "SELECT number, at, status, trouble, milliseconds FROM webhook_tries"
            " WHERE message_id = %s ORDER BY number DESC",
            (message_id,),
        ).fetchall()


def insert_endpoint(conn: Connection, url: str, description: str, secret: bytes, made_by: str) -> int:
    """Insert an endpoint that is switched on, with its encrypted secret. Return its id."""
    row = conn.execute(
        "INSERT INTO webhook_endpoints (url, description, secret, made_by)"
        " VALUES (%s, %s, %s, %s) RETURNING id",
        (url, description, secret, made_by),
    ).fetchone()
    assert row is not None
    return int(row[0])


def switch(conn: Connection, endpoint_id: int, active: bool) -> bool:
    """Switch an endpoint on or off. Return False if it is already in that state."""
    switched = conn.execute(
        "UPDATE webhook_endpoints SET active = %s, off_because = NULL"
        " WHERE id = %s AND active <> %s AND removed_at IS NULL",
        (active, endpoint_id, active),
    )
    return bool(switched.rowcount)


def remove_endpoint(conn: Connection, endpoint_id: int) -> None:
    """Remove an endpoint and its secret. ``delete_removed`` deletes its messages."""
    conn.execute(
        "UPDATE webhook_endpoints SET active = false, off_because = NULL, secret = NULL, removed_at = now()"
        " WHERE id = %s AND removed_at IS NULL",
        (endpoint_id,),
    )


def insert_test(conn: Connection, endpoint_id: int) -> str:
    """Insert a test message, which belongs to no run; a trigger enqueues its job. Return its key."""
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
    """Reset an ended message to waiting, with a full set of attempts. Return False if it has not ended."""
    sent = conn.execute(
        """
        UPDATE webhook_messages
        SET state = 'waiting', failures = 0, ended_at = NULL, trouble = NULL, queue_job_id = NULL
        WHERE id = %s AND state <> 'waiting'
        """,
        (message_id,),
    )
    return bool(sent.rowcount)
