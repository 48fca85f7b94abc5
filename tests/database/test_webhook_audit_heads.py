"""The event audit.head: the head of the audit chain, at most one message an interval and endpoint."""

import json
from pathlib import Path
from random import Random

import pytest

from hrims.audit import heads
from hrims.db import AsyncPool, Connection
from hrims.webhooks.audit_heads import insert_messages
from tests.audit import trail
from tests.database.webhooks import endpoint

INTERVAL = 300.0


@pytest.fixture
def receiver(conn: Connection) -> int:
    """Return the id of an endpoint that was added an hour ago."""
    id_ = endpoint(conn).id
    conn.execute("UPDATE webhook_endpoints SET made_at = now() - interval '1 hour'")
    return id_


def messages(conn: Connection) -> list[tuple[int, int]]:
    """Return endpoint and sequence of each message, in their order."""
    return conn.execute(
        "SELECT endpoint_id, (payload #>> '{data,sequence}')::int FROM webhook_messages"
        " WHERE event = 'audit.head' ORDER BY id"
    ).fetchall()


def an_interval_later(conn: Connection) -> None:
    """Make all messages older."""
    conn.execute("UPDATE webhook_messages SET created_at = created_at - interval '6 minutes'")


async def test_it_works(conn: Connection, pool: AsyncPool, receiver: int, tmp_path: Path) -> None:
    await insert_messages(pool, INTERVAL)
    assert messages(conn) == []
    head = trail.chained(conn, Random(1), 5)[-1]
    await insert_messages(pool, INTERVAL)
    assert messages(conn) == [(receiver, head.sequence)]
    row = conn.execute("SELECT payload -> 'data' FROM webhook_messages").fetchone()
    assert row
    file = tmp_path / "received.jsonl"
    file.write_text(json.dumps(row[0]) + "\n")
    assert list(heads.read(file, conn.info.dbname)) == [head]


async def test_there_is_one_an_interval(conn: Connection, pool: AsyncPool, receiver: int) -> None:
    first = trail.chained(conn, Random(1), 3)[-1].sequence
    await insert_messages(pool, INTERVAL)
    second = trail.chained(conn, Random(2), 3)[-1].sequence
    await insert_messages(pool, INTERVAL)
    assert messages(conn) == [(receiver, first)]
    an_interval_later(conn)
    await insert_messages(pool, INTERVAL)
    assert messages(conn) == [(receiver, first), (receiver, second)]


async def test_a_head_is_sent_once(conn: Connection, pool: AsyncPool, receiver: int) -> None:
    trail.chained(conn, Random(1), 3)
    for _ in range(3):
        await insert_messages(pool, INTERVAL)
        an_interval_later(conn)
    assert len(messages(conn)) == 1


async def test_disabled_and_new_endpoints_get_none(conn: Connection, pool: AsyncPool, receiver: int) -> None:
    conn.execute("UPDATE webhook_endpoints SET active = false")
    endpoint(conn, "https://new.example/hook")
    trail.chained(conn, Random(1), 3)
    await insert_messages(pool, INTERVAL)
    assert messages(conn) == []
