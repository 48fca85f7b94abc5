"""The names of the roles of a database. Roles belong to a server, so a name contains that of the database."""

import hashlib
from typing import Final

MAX_BYTES: Final = 63
"""Bytes of a name in PostgreSQL. It cuts off the rest."""


def application_role(database: str) -> str:
    """Return the name of the role of web processes and workers."""
    return _name(database, "_app")


def reporting_role(database: str) -> str:
    """Return the name of the role of analysts."""
    return _name(database, "_report")


def _name(database: str, suffix: str) -> str:
    if len((database + suffix).encode()) <= MAX_BYTES:
        return database + suffix
    digest = hashlib.sha256(database.encode()).hexdigest()[:8]
    kept = database.encode()[: MAX_BYTES - len(suffix) - len(digest) - 1].decode(errors="ignore")
    return f"{kept}_{digest}{suffix}"
