"""Error messages of the commands.

Input: an error. Output: what happened and what to do. Values that could be secrets are masked.
"""

import re

import psycopg

from hrims import resilience
from hrims.errors import HrimsSyncError
from hrims.log import format_traceback, masked
from hrims.outages import first_line

CORRECTABLE = (HrimsSyncError, psycopg.Error, OSError)
"""Errors that a user can correct. A command that ends with one prints its message."""

HINTS = {
    "password authentication failed": "PostgreSQL does not accept the user name or password of DATABASE_URL.",
    "no password supplied": "PostgreSQL wants a password, and DATABASE_URL has none.",
    r"pg_hba\.conf": "PostgreSQL admits no connection from here with this user name and database.",
    'role ".*" does not exist': "PostgreSQL knows no such user. Correct the user name in DATABASE_URL.",
    'database ".*" does not exist': "The server has no such database. Create it, or correct DATABASE_URL.",
    "too many": "PostgreSQL has no connection left to give. Try again, or raise its max_connections.",
    "connection slots": "PostgreSQL has no connection left to give. Try again, or raise its max_connections.",
    "starting up": "PostgreSQL is starting. Try again in a moment.",
    "shutting down": "PostgreSQL is stopping. Try again in a moment.",
}
"""What to do, by regular expression over the messages of libpq."""

NO_ANSWER = "The database does not answer. Is DATABASE_URL right, and does its server run?"


def end_message(error: Exception) -> str:
    """Return what a command prints that ends with an error."""
    if isinstance(error, CORRECTABLE):
        return f"hrims: {error_message(error)}"
    return f"{format_traceback(error)}\nhrims: This is a defect. Report the lines above."


def error_message(error: Exception) -> str:
    """Return the message for any error with which a command can end."""
    if isinstance(error, psycopg.OperationalError) and resilience.is_outage(error):
        return (
            "The connection to the database was lost. What was saved before stays; look whether the "
            f"last step was, and do it again if not. PostgreSQL's client says: {first_line(error)}"
        )
    if isinstance(error, psycopg.errors.ReadOnlySqlTransaction):
        return (
            "The database is read-only at the moment. Nothing was changed. Try again when it accepts writes; "
            "`hrims doctor` says when it does."
        )
    if isinstance(error, psycopg.Error):
        message = error.diag.message_primary or type(error).__name__
        return masked(f"The database refused this and nothing of it was kept. PostgreSQL says: {message}")
    if isinstance(error, OSError) and not isinstance(error, HrimsSyncError):
        where = f": {error.filename}" if error.filename else ""
        return masked(f"This machine refused: {error.strerror or type(error).__name__}{where}.")
    return masked(str(error))


def no_connection(error: psycopg.Error) -> str:
    """Return the message for a connection that could not be opened."""
    message = first_line(error)
    hint = next((hint for pattern, hint in HINTS.items() if re.search(pattern, message)), NO_ANSWER)
    return f"{hint} Nothing was changed. PostgreSQL's client says: {message}"


def after_migrations(missing: list[str]) -> str:
    """Return what to do about migrations that must wait until no process of the older version runs."""
    count = "1 migration is" if len(missing) == 1 else f"{len(missing)} migrations are"
    return f"{count} left for after the upgrade. When no process of the older version runs: hrims migrate"
