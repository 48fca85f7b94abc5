"""Searches that a browser may come back to: words and a user come in; a random token for the address goes
out, and back. The words are personal data: only their user can read them, for half an hour; then the cleaner
deletes them.
"""

import hashlib
import secrets
from typing import Final

from hrims.db import Connection
from hrims.errors import InvalidInput
from hrims.people.searches import store

LONGEST: Final = 100
"""Characters of a search."""

MINUTES: Final = 30
"""Minutes for which a search is kept."""

MOST: Final = 20
"""Searches that are kept of one user; an older one makes room for a new one."""


def keep(conn: Connection, user: str, words: str) -> str | None:
    """Keep what a user searches for; return its token, None without words. Raises InvalidInput."""
    words = " ".join(words.split())
    if len(words) > LONGEST:
        raise InvalidInput(f"Give at most {LONGEST} characters to search for.", "long_search")
    if not words:
        return None
    token = secrets.token_urlsafe(16)
    store.insert(conn, _hash(token), user, words, MINUTES, MOST)
    return token


def words_of(conn: Connection, user: str, token: str) -> str | None:
    """Return what the user searched for; None for a token that is unknown, expired or another user's."""
    return store.words(conn, _hash(token), user)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
