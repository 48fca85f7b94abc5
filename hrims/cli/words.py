"""What went wrong, in words for a person: an error comes in, what happened and what to do go out.

No secret is among them: what could be one is masked.
"""

import re

import psycopg

from hrims import steady
from hrims.errors import HrimsSyncError
from hrims.log import masked

HINTS = {
    "password authentication failed": "PostgreSQL does not accept the user name or password of DATABASE_URL.",
    "no password supplied": "PostgreSQL wants a password, and DATABASE_URL has none.",
    r"pg_hba\.conf": "PostgreSQL lets nobody in from here with this user name and database.",
    'role ".*" does not exist': "PostgreSQL knows no such user. Correct the user name in DATABASE_URL.",
    'database ".*" does not exist': "The server has no such database. Create it, or correct DATABASE_URL.",
    "too many": "PostgreSQL has no connection left to give. Try again, or raise its max_connections.",
    "connection slots": "PostgreSQL has no connection left to give. Try again, or raise its max_connections.",
    "starting up": "PostgreSQL is starting. Try again in a moment.",
    "shutting down": "PostgreSQL is stopping. Try again in a moment.",
}
"""What to do, by what PostgreSQL's client says; regular expressions."""

NO_ANSWER = "The database does not answer. Is DATABASE_URL right, and does its server run?"


def of(reason: Exception) -> str:
    """Any error that a command may end with."""
    if isinstance(reason, psycopg.OperationalError) and steady.is_outage(reason):
        return (
            "The connection to the database was lost. What was saved before stays; look whether the "
            f"last step was, and do it again if not. PostgreSQL's client says: {_said(reason)}"
        )
    if isinstance(reason, psycopg.errors.ReadOnlySqlTransaction):
        return (
            "The database is read-only at the moment. Nothing was changed. Try again when it accepts writes; "
            "`hrims doctor` says when it does."
        )
    if isinstance(reason, psycopg.Error):
        said = reason.diag.message_primary or type(reason).__name__
        return masked(f"The database refused this and nothing of it was kept. PostgreSQL says: {said}")
    if isinstance(reason, OSError) and not isinstance(reason, HrimsSyncError):
        where = f": {reason.filename}" if reason.filename else ""
        return masked(f"This machine refused: {reason.strerror or type(reason).__name__}{where}.")
    return masked(str(reason))


def no_connection(reason: psycopg.Error) -> str:
    """A connection that could not be made."""
    said = _said(reason)
    hint = next((hint for sign, hint in HINTS.items() if re.search(sign, said)), NO_ANSWER)
    return f"{hint} Nothing was changed. PostgreSQL's client says: {said}"


def _said(reason: psycopg.Error) -> str:
    """The first line, which is the cause; with several hosts the last one's."""
    lines = str(reason).strip().splitlines() or [type(reason).__name__]
    said = lines[0].removeprefix("connection failed: ").removeprefix("connection is bad: ")
    hosts = sum(line.startswith("- host: ") for line in lines)
    return masked(f"{said} (the last of {hosts} hosts)" if hosts else said)
