"""Records that a user reads personal data. Input: an access. Output: an audit record."""

from typing import Any, Final

import msgspec
import psycopg

from hrims.access.audit import record
from hrims.db import Connection
from hrims.log import get_logger
from hrims.queries import Query
from hrims.web.core import guard

PAGING: Final = frozenset({"page", "page_size"})
"""Parameters that choose a part of a list and filter nothing."""

log = get_logger(__name__)


def note(conn: Connection, action: str, subject: str | None = None, **columns: Any) -> None:
    """Record an access, in the transaction that reads the data.

    While the database is read-only, pages can be read and the log has the access instead.
    """
    try:
        with conn.transaction():
            record(conn, guard.actor(), action, subject, **columns)
    except psycopg.errors.ReadOnlySqlTransaction:
        log.warning("access_not_recorded", action=action, client=guard.actor().number)


def note_search(conn: Connection, action: str, query: Query) -> None:
    """Record a search if the query string has filters: their names, because a value may be personal data."""
    defaults = {field.name: field.default for field in msgspec.structs.fields(query)}
    names = [name for name in defaults if getattr(query, name) != defaults[name]]
    if filters := sorted({*names} - PAGING):
        note(conn, action, filters=filters)
