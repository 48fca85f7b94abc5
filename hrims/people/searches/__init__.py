"""Saved searches, which a browser can return to. Input: a search text and a user. Output: a random token for
the URL, which leads back to the search text.

The search text is personal data. Only its user can read it, for half an hour; then the cleaner deletes it.
"""

import hashlib
import secrets
from typing import Final

from hrims.db import Connection
from hrims.errors import InvalidInput
from hrims.people.searches import store

MAX_LENGTH: Final = 100
"""Maximum characters of a search text."""

MINUTES: Final = 30
"""Minutes until a search expires."""

MAX_SAVED: Final = 20
"""Maximum number of saved searches per user. A new search replaces the oldest."""


def save_search(conn: Connection, user: str, text: str) -> str | None:
    """Save a search of a user. Return its token, or None if the text is empty. Raises InvalidInput."""
    text = " ".join(text.split())
    if len(text) > MAX_LENGTH:
        raise InvalidInput(f"Give at most {MAX_LENGTH} characters to search for.", "long_search")
    if not text:
        return None
    token = secrets.token_urlsafe(16)
    store.insert_search(conn, _hash(token), user, text, MINUTES, MAX_SAVED)
    return token


def find_text(conn: Connection, user: str, token: str) -> str | None:
    """Return the text of a search. Return None if the token is unknown, expired or another user's."""
    return store.find_text(conn, _hash(token), user)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
