"""The audit record. Input: an actor, an action and a subject. Output: a row, in the action's transaction."""

from typing import Any

from hrims.access import store
from hrims.access.actor import Actor
from hrims.db import Connection


def record(conn: Connection, actor: Actor, action: str, subject: str | None = None, **details: Any) -> None:
    """Add one row to the audit record, inside the caller's transaction.

    ``action`` is dotted, like ``run.ask``. ``details`` must contain no personal data and no secrets.
    """
    store.add_audit(conn, actor, action, subject, details)
