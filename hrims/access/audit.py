"""Writes audit records. Input: an actor, an action, an object. Output: a row in the action's transaction."""

from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from hrims.access.actor import Actor
from hrims.audit import store
from hrims.db import Connection
from hrims.log import get_logger

log = get_logger(__name__)


def record(
    conn: Connection,
    actor: Actor,
    action: str,
    subject: str | None = None,
    *,
    run: int | None = None,
    institution: int | None = None,
    before: Any = None,
    after: Any = None,
    reason: str | None = None,
    **details: Any,
) -> None:
    """Write one audit record, inside the caller's transaction.

    ``action`` is dotted, like ``run.ask``. The run of a subject like ``run:12``, and the institution of one
    like ``institution:3``, need not be given. ``before``, ``after`` and ``details`` must contain no personal
    data and no secrets.
    """
    columns = {
        "actor": actor.name,
        "user_id": actor.user_id,
        "role": actor.role,
        "via": actor.via,
        "token_id": actor.token_id,
        "address": actor.address,
        "user_agent": actor.user_agent,
        "request_id": actor.request_id,
        "action": action,
        "subject": subject,
        "run_id": run or _number(subject, "run"),
        "institution_id": institution or _number(subject, "institution"),
        "before": None if before is None else Jsonb(before),
        "after": None if after is None else Jsonb(after),
        "reason": reason,
        "details": Jsonb(details),
    }
    store.insert_record(conn, columns)


def record_if_writable(
    conn: Connection, actor: Actor, action: str, subject: str | None = None, **details: Any
) -> None:
    """Record that a user reads personal data. While the database is read-only, log it instead."""
    try:
        with conn.transaction():
            record(conn, actor, action, subject, **details)
    except psycopg.errors.ReadOnlySqlTransaction:
        log.warning("reading_not_recorded", action=action, subject=subject, by=actor.number)


def _number(subject: str | None, kind: str) -> int | None:
    found, _, number = (subject or "").partition(":")
    return int(number) if found == kind and number.isdigit() else None
