"""Sessions of browsers: conversion of a user to the token of a cookie, and back. Only a hash is stored."""

import hashlib
import secrets
from typing import NamedTuple

from hrims.access import store
from hrims.db import Connection


class SignedIn(NamedTuple):
    """The user of a session. ``institutions`` is None for all."""

    user_id: int
    name: str
    role: str
    institutions: list[int] | None


def begin(conn: Connection, user_id: int, address: str | None, hours: float) -> str:
    """Begin a session of ``hours`` hours. Return the token for the cookie, which is not stored."""
    store.delete_expired_sessions(conn)
    token = secrets.token_urlsafe(32)
    store.insert_session(conn, _hash(token), user_id, address, hours)
    return token


def find(conn: Connection, token: str) -> SignedIn | None:
    """Return the user of this token; None if it is unknown or has ended, or if its user is disabled."""
    row = store.find_session_user(conn, _hash(token))
    return SignedIn(*row) if row else None


def end(conn: Connection, token: str) -> str | None:
    """End a session. Return the name of its user; None if there is no such session. Idempotent."""
    return store.delete_session(conn, _hash(token))


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
