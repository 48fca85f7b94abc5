"""Actions on challenges: create, find, take."""

import secrets

from hrims.access import users
from hrims.access.challenges import store
from hrims.access.token_hash import hash_token
from hrims.access.users.store import User
from hrims.db import Connection

MINUTES = 5
"""Minutes in which a user must enter the code after the password."""


def create(conn: Connection, user: User) -> str:
    """Create a challenge for a user whose password was right. Return its token, which is not stored."""
    store.delete_expired(conn)
    token = secrets.token_urlsafe(32)
    store.insert(conn, hash_token(token), user, MINUTES)
    return token


def find(conn: Connection, token: str) -> User | None:
    """Return the user of a challenge; None if it has expired or the user has changed since."""
    name = store.find_name(conn, hash_token(token))
    return users.find(conn, name) if name else None


def take(conn: Connection, token: str) -> bool:
    """Delete a challenge, because its code was right. Return False if another request has taken it."""
    return store.delete(conn, hash_token(token))
