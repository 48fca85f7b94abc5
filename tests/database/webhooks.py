"""Endpoints and messages for tests, made by the functions that the product itself uses."""

from typing import Any

from hrims.config import load
from hrims.db import Connection
from hrims.webhooks import actions as webhook_actions
from hrims.webhooks.actions import AddedEndpoint
from tests.support.encryption import KEY
from tests.support.users import BINTI

PRIVATE = load({"HRIMS_WEBHOOK_PRIVATE": "yes", "HRIMS_ENCRYPTION_KEY": KEY})
"""Settings that allow private addresses."""

URL = "https://receiver.example/hook"


def endpoint(conn: Connection, url: str = URL) -> AddedEndpoint:
    """Return an endpoint that is switched on."""
    return webhook_actions.add(conn, BINTI, url, "", PRIVATE)


def told(conn: Connection) -> list[Any]:
    """Return (endpoint, run, event) of every message. Assert that each has its job."""
    rows = conn.execute(
        """
        SELECT m.endpoint_id, m.run_id, m.event, j.task_name, j.args, m.id
        FROM webhook_messages m LEFT JOIN procrastinate_jobs j ON j.id = m.queue_job_id ORDER BY m.id
        """
    ).fetchall()
    for *_, task, args, id_ in rows:
        assert (task, args) == ("webhooks.deliver", {"message_id": id_})
    return [row[:3] for row in rows]


def payload(conn: Connection) -> Any:
    """Return what the only message says."""
    [(found,)] = conn.execute("SELECT payload FROM webhook_messages").fetchall()
    return found
