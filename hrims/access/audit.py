"""The audit record. Input: an actor, an action and a subject. Output: a row, in the action's transaction."""

from typing import Any, NamedTuple

from hrims.access import store
from hrims.db import Connection


class Actor(NamedTuple):
    """The user or token that acts, the interface (page, api, command, system) and the network address."""

    name: str
    via: str
    address: str | None = None


def record(conn: Connection, actor: Actor, action: str, subject: str | None = None, **details: Any) -> None:
    """Add one row to the audit record, inside the caller's transaction.

    ``action`` is dotted, like ``run.ask``. ``details`` must contain no personal data and no secrets.
    """
    store.add_audit(conn, actor, action, subject, details)
