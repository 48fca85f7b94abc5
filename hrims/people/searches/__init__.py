"""Saved searches, which a browser can return to. Input: a search text and a user. Output: a random token for
the URL, which leads back to the search text.

The search text is personal data. Only its user can read it, for half an hour; then the cleaner deletes it.
"""

import secrets
from typing import Annotated, Final

from msgspec import Meta

from hrims.access.token_hash import hash_token
from hrims.db import Connection
from hrims.people.searches import store

MAX_LENGTH: Final = 100
"""Maximum characters of a search text."""

MINUTES: Final = 30
"""Minutes until a search expires."""

MAX_SAVED: Final = 20
"""Maximum number of saved searches per user. A new search replaces the oldest."""


def to_single_spaces(text: str) -> str:
    """Return the text with single spaces between its words."""
    return " ".join(text.split())


SearchText = Annotated[
    str,
    Meta(
        max_length=MAX_LENGTH,
        extra={
            "prepare": to_single_spaces,
            "message": f"Give at most {MAX_LENGTH} characters to search for.",
            "code": "long_search",
        },
    ),
]


def save_search(conn: Connection, user: str, text: str) -> str | None:
    """Save a search of a user. Return its token, or None if the text is empty."""
    if not text:
        return None
    token = secrets.token_urlsafe(16)
    store.insert_search(conn, hash_token(token), user, text, MINUTES, MAX_SAVED)
    return token


def find_text(conn: Connection, user: str, token: str) -> str | None:
    """Return the text of a search. Return None if the token is unknown, expired or another user's."""
    return store.find_text(conn, hash_token(token), user)
