"""Browsers' sign-ins: a user comes in, the cookie's token goes out; and back. Only a hash is kept."""

import hashlib
import secrets
from typing import NamedTuple

from hrims.access import store
from hrims.db import Connection


class SignedIn(NamedTuple):
    """Who is signed in."""

    user_id: int
    name: str
    role: str


def begin(conn: Connection, user_id: int, address: str | None, hours: float) -> str:
    """Begins a session of so many hours; returns the token for the cookie, which is kept nowhere."""
    store.delete_expired_sessions(conn)
    token = secrets.token_urlsafe(32)
    store.insert_session(conn, _hash(token), user_id, address, hours)
    return token


def find(conn: Connection, token: str) -> SignedIn | None:
    """Whom this token signs in; None when it is unknown, has ended, or its user is disabled."""
    row = store.session_user(conn, _hash(token))
    return SignedIn(*row) if row else None


def end(conn: Connection, token: str) -> str | None:
    """Ends a session; returns whose it was, None when there was none. Ending twice does no harm."""
    return store.delete_session(conn, _hash(token))


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
