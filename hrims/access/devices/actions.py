"""Actions on known devices: find, remember, forget."""

import hashlib
import hmac
import secrets

from hrims.access import keys
from hrims.access.devices import store
from hrims.access.token_hash import hash_token
from hrims.config import Settings
from hrims.db import Connection

COOKIE_DAYS = 180
"""Days after the last sign-in in a device for which it is known."""

MAX_DEVICES = 20
"""Known devices of a user. A further one replaces the oldest."""

MAX_COOKIE = 200
"""Characters of a cookie that are read."""


def find(conn: Connection, settings: Settings, user_id: int, cookie: str) -> int | None:
    """Return the id of a known device of a user; None if the user has not signed in there, or long ago."""
    token = _read_token(conn, settings, cookie)
    return store.find(conn, user_id, hash_token(token)) if token else None


def remember(conn: Connection, settings: Settings, user_id: int, cookie: str | None) -> str:
    """Save that a user has signed in in the browser with this cookie. Return the cookie to set.

    A browser that several users share keeps one cookie.
    """
    token = (_read_token(conn, settings, cookie) if cookie else None) or secrets.token_urlsafe(32)
    store.delete_expired(conn)
    store.save(conn, user_id, hash_token(token), COOKIE_DAYS)
    store.delete_oldest(conn, user_id, MAX_DEVICES)
    return f"{token}.{_sign(conn, settings, token)}"


def forget(conn: Connection, user_id: int) -> None:
    """Forget every known device of a user."""
    store.delete_others(conn, user_id, None)


def forget_others(conn: Connection, settings: Settings, user_id: int, keep: str | None) -> None:
    """Forget every known device of a user except that with the cookie ``keep``."""
    token = _read_token(conn, settings, keep) if keep else None
    store.delete_others(conn, user_id, hash_token(token) if token else None)


def _read_token(conn: Connection, settings: Settings, cookie: str) -> str | None:
    token, _, signature = cookie.partition(".")
    is_ours = (
        len(cookie) <= MAX_COOKIE
        and cookie.isascii()
        and hmac.compare_digest(_sign(conn, settings, token), signature)
    )
    return token if is_ours else None


def _sign(conn: Connection, settings: Settings, token: str) -> str:
    return hmac.digest(keys.device_key(conn, settings), token.encode(), hashlib.sha256).hex()
