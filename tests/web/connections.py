"""Helpers for the page “HRIMS connection”: what it saves, what it audits, and the fields of its form."""

import re
from typing import Any

from hrims.config import Settings
from hrims.db import Connection
from hrims.remote.connection.model import resolve_connection
from hrims.remote.connection.store import read_connection

PAGE = "/dashboard/admin/connection"
HRIMS = "https://hrims.example.go.tz/api"
SECRETS = {"api_key": "an-invented-api-key", "token": "an-invented-token"}
SAVED = {"address": HRIMS, **SECRETS}


def saved(conn: Connection, settings: Settings) -> dict[str, Any]:
    """Return the connection that a process with these settings uses."""
    found = resolve_connection(settings, read_connection(conn))
    assert found.problem is None
    names = ("base_url", "api_key", "token", "connect_timeout", "max_in_flight")
    return {name: getattr(found.settings, name) for name in names}


def audited(conn: Connection) -> list[Any]:
    rows = conn.execute(
        "SELECT actor, action, subject, details, before, after FROM audit_log"
        " WHERE action LIKE 'connection.%' ORDER BY id"
    ).fetchall()
    changes = [{} if before is None else {"before": before, "after": after} for *_, before, after in rows]
    return [(*row[:3], row[3] | change) for row, change in zip(rows, changes, strict=True)]


def fields_of(page: str) -> dict[str, str]:
    """Return the tag of each field of the form."""
    return {found[1]: found[0] for found in re.finditer(r'<input [^>]*name="(\w+)"[^>]*>', page)}
