"""Users, sessions, tokens and the audit record, in SQL. Each function works inside its caller's
transaction.
"""

from typing import Any

from psycopg.types.json import Jsonb

from hrims.db import Connection


def add_audit(
    conn: Connection, actor: Any, action: str, subject: str | None, details: dict[str, Any]
) -> None:
    """Adds one row to the audit record."""
    conn.execute(
        "INSERT INTO audit_log (actor, via, address, action, subject, details)"
        " VALUES (%s, %s, %s, %s, %s, %s)",
        (actor.name, actor.via, actor.address, action, subject, Jsonb(details)),
    )
