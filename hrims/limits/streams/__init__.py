"""The event streams of a user. Input: a user who opens one. Output: a number for it, or a refusal.

They are counted in Postgres, so that the limit holds over all web processes. A stream whose process died
expires.
"""

from typing import Final

from hrims.db import Connection
from hrims.errors import TooMany
from hrims.limits.streams import store

EXPIRES_AFTER: Final = 45.0
"""Seconds without a refresh after which a stream no longer counts. Streams are refreshed every 15 seconds."""


class TooManyStreams(TooMany):
    """The user has as many streams as are allowed. One may end in the next ``retry_after`` seconds."""

    code = "too_many_streams"
    retry_after: Final = 15

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"You have {limit} live streams open already, which is the limit. Close one, or poll job-status."
        )


def open_stream(conn: Connection, owner: str, limit: int) -> int:
    """Count a new stream of ``owner`` and return its number. Raises TooManyStreams."""
    with conn.transaction():
        store.lock_owner(conn, owner)
        store.delete_expired(conn, EXPIRES_AFTER)
        number = store.insert_stream(conn, owner, limit)
    if number is None:
        raise TooManyStreams(limit)
    return number


def refresh(conn: Connection, number: int, owner: str) -> None:
    """Record that a stream is still open."""
    store.refresh_stream(conn, number, owner)


def close(conn: Connection, number: int) -> None:
    """Stop counting a stream. Idempotent."""
    store.delete_stream(conn, number)
