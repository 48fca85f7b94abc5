"""Tracebacks. Input: an error. Output: its traceback without data.

Messages of libraries repeat data: a key error its key, a database error the values of a row. Only messages
that cannot hold any are shown.
"""

import traceback

import psycopg

from hrims.errors import HrimsSyncError
from hrims.log.text import masked

MAX_TRACEBACK_LENGTH = 20_000

HARMLESS = (HrimsSyncError, AttributeError, ImportError, NameError)
"""Errors whose messages hold only our own words or names of the code."""


def format_traceback(error: BaseException) -> str:
    """Return the traceback and type of an error and of its causes, with the messages that are harmless."""
    sections = []
    seen = set[int]()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        frames = "".join(traceback.format_tb(current.__traceback__))
        sections.append(f"Traceback (most recent call last):\n{frames}{_describe(current)}")
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    text = masked("\n\nafter\n\n".join(reversed(sections))).replace("\0", "\ufffd")
    # Cut off the start: the end names the error.
    return text if len(text) <= MAX_TRACEBACK_LENGTH else f"…{text[-MAX_TRACEBACK_LENGTH + 1 :]}"


def _describe(error: BaseException) -> str:
    name = f"{type(error).__module__}.{type(error).__qualname__}"
    if isinstance(error, HARMLESS):
        return f"{name}: {error}"
    if isinstance(error, OSError) and error.strerror:
        return f"{name}: {error.strerror}"
    if isinstance(error, psycopg.Error) and error.sqlstate:
        return f"{name}: {error.sqlstate} {error.diag.constraint_name or ''}".rstrip()
    return name
