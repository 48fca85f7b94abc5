"""Administrators, and what waits for them, for web tests of webhooks."""

import pytest

from hrims.db import Connection
from tests.database.runs import institution
from tests.database.webhooks import endpoint
from tests.web.runs import end_run, enqueue_run_of

PAGE, API = "/dashboard/admin/webhooks", "/api/hrims/webhooks"

URL = "https://receiver.example/hook?key=s3cret"

UNKNOWN_KEY = "msg_" + 32 * "0"
"""The id of no message."""


@pytest.fixture
def told(conn: Connection) -> str:
    """Provide a message of a run that failed, on its way to the first endpoint; its id."""
    endpoint(conn, URL)
    end_run(conn, enqueue_run_of(conn, institution(conn)), "failed")
    return key_of(conn)


def key_of(conn: Connection) -> str:
    """Return the id of the only message."""
    [(key,)] = conn.execute("SELECT key FROM webhook_messages").fetchall()
    return str(key)


def failed(conn: Connection) -> None:
    """Make every message fail after one attempt."""
    conn.execute(
        "UPDATE webhook_messages SET state = 'failed', ended_at = now(),"
        " trouble = 'The receiver answered 500.'"
    )
    conn.execute(
        "INSERT INTO webhook_tries SELECT id, 1, now(), 500, 'The receiver answered 500.', 1234"
        " FROM webhook_messages"
    )


def audited(conn: Connection) -> list[tuple[object, ...]]:
    """Return the audit records of webhooks: actor, via, action and subject."""
    return conn.execute(
        "SELECT actor, via, action, subject FROM audit_log WHERE action LIKE 'webhook.%%' ORDER BY id"
    ).fetchall()
