"""The audit record: who did what to what comes in; one row in the transaction of the deed goes out."""

from typing import Any, NamedTuple

from hrims.access import store
from hrims.db import Connection


class Actor(NamedTuple):
    """Who acts: a user's or token's name, by which way (page, api, command, system), from where."""

    name: str
    via: str
    address: str | None = None


def record(conn: Connection, actor: Actor, action: str, subject: str | None = None, **details: Any) -> None:
    """Adds one row to the audit record, inside the caller's transaction.

    ``action`` is dotted, like ``run.ask``; details hold no personal data and no secrets.
    """
    store.add_audit(conn, actor, action, subject, details)
