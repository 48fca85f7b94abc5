"""Endpoints, messages and tries as they are shown, in SQL. No secret is among them."""

from datetime import datetime
from typing import Any, NamedTuple

from psycopg.rows import class_row

from hrims.db import Connection


class Endpoint(NamedTuple):
    """An endpoint, without its secret; how many of its messages wait and have failed."""

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
    """A message and how it stands; ``status`` is what the receiver answered last."""

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


class Try(NamedTuple):
    """One try at delivering a message."""

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


def endpoints(conn: Connection) -> list[Endpoint]:
    """All endpoints, in the order in which they were added."""
    with conn.cursor(row_factory=class_row(Endpoint)) as cursor:
        return cursor.execute(f"{ENDPOINTS} ORDER BY e.id".encode()).fetchall()


def endpoint(conn: Connection, endpoint_id: int) -> Endpoint | None:
    """One endpoint."""
    with conn.cursor(row_factory=class_row(Endpoint)) as cursor:
        return cursor.execute(f"{ENDPOINTS} AND e.id = %s".encode(), (endpoint_id,)).fetchone()


def messages(conn: Connection, most: int, skip: int = 0) -> list[Message]:
    """Messages of all endpoints, newest first."""
    with conn.cursor(row_factory=class_row(Message)) as cursor:
        found = cursor.execute(f"{MESSAGES} ORDER BY m.id DESC LIMIT %s OFFSET %s".encode(), (most, skip))
        return found.fetchall()


def message(conn: Connection, key: str) -> Message | None:
    """One message by the id that receivers know."""
    with conn.cursor(row_factory=class_row(Message)) as cursor:
        return cursor.execute(f"{MESSAGES} WHERE m.key = %s".encode(), (key,)).fetchone()


def tries(conn: Connection, message_id: int) -> list[Try]:
    """Every try at a message, the latest first."""
    with conn.cursor(row_factory=class_row(Try)) as cursor:
        return cursor.execute(
            "SELECT number, at, status, trouble, milliseconds FROM webhook_tries"
            " WHERE message_id = %s ORDER BY number DESC",
            (message_id,),
        ).fetchall()
