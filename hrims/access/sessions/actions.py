"""Actions on sessions: begin, find, confirm, end."""

import contextlib
import secrets
from typing import NamedTuple

import psycopg

from hrims.access.actor import MAX_USER_AGENT, Actor
from hrims.access.audit import record
from hrims.access.sessions import store
from hrims.access.token_hash import hash_token
from hrims.db import Connection
from hrims.errors import Conflict, NotFound, NotSignedIn

IDLE_MINUTES = 60.0
"""Minutes without a request of the user after which a session ends, unless the settings say otherwise."""


class SignedIn(NamedTuple):
    """The user of a session, and the state of the session. ``institutions`` is None for all.

    ``confirmed_ago`` is the number of seconds since the password or a code was typed. ``is_due`` tells that
    the session was last seen a minute ago or longer.
    """

    user_id: int
    name: str
    role: str
    institutions: list[int] | None
    session_id: int
    must_change_password: bool
    confirmed_ago: float
    is_due: bool


class Renewed(NamedTuple):
    """The new token of a session, for its cookie, and the number of other sessions that have ended."""

    token: str
    ended: int


def begin(
    conn: Connection,
    user_id: int,
    address: str | None,
    hours: float,
    *,
    idle_minutes: float = IDLE_MINUTES,
    user_agent: str | None = None,
) -> str:
    """Begin a session of at most ``hours`` hours. Return the token for the cookie, which is not stored."""
    store.delete_expired(conn)
    token = secrets.token_urlsafe(32)
    browser = (user_agent or "")[:MAX_USER_AGENT] or None
    store.insert_session(conn, hash_token(token), user_id, address, browser, hours, idle_minutes)
    return token


def find(conn: Connection, token: str) -> SignedIn | None:
    """Return the user of this token; None if it is unknown or has ended, or if its user is disabled."""
    row = store.find_user(conn, hash_token(token))
    return SignedIn(*row) if row else None


def touch(conn: Connection, session_id: int, address: str | None) -> None:
    """Record that the user of a session has sent a request. Call it if the session is due."""
    # Users may still read while the database is read-only.
    with contextlib.suppress(psycopg.errors.ReadOnlySqlTransaction), conn.transaction():
        store.touch(conn, session_id, address)


def confirm(conn: Connection, session_id: int) -> None:
    """Record that the user of a session has typed the password or a code just now."""
    store.confirm(conn, session_id)


def renew(conn: Connection, own: SignedIn) -> Renewed:
    """Replace the token of a session and end every other session of its user. The old token ends too.

    Call it when a user changes how the user signs in, so that a stolen or planted token is no longer valid.
    The caller writes the audit record. Raises NotSignedIn if the session has ended.
    """
    token = secrets.token_urlsafe(32)
    with conn.transaction():
        if not store.replace_token(conn, own.session_id, hash_token(token)):
            raise NotSignedIn("Your session has ended. Nothing was changed. Sign in again.")
        return Renewed(token, store.delete_others(conn, own.user_id, own.session_id))


def end(conn: Connection, token: str) -> str | None:
    """End a session. Return the name of its user; None if there is no such session. Idempotent."""
    return store.delete_by_token(conn, hash_token(token))


def end_one(conn: Connection, actor: Actor, own: SignedIn, session_id: int) -> None:
    """End another session of the user of a session.

    Raises NotFound if the user has no such session, Conflict if it is the same one.
    """
    if session_id == own.session_id:
        raise Conflict("This is the session that you use. Sign out to end it.", "own_session")
    with conn.transaction():
        if not store.delete_by_id(conn, own.user_id, session_id):
            raise NotFound("This session has ended already. Nothing was changed.", "unknown_session")
        record(conn, actor, "session.end", f"user:{actor.name}", sessions_ended=1)


def end_others(conn: Connection, actor: Actor, own: SignedIn) -> int:
    """End every other session of the user of a session. Return how many."""
    with conn.transaction():
        ended = store.delete_others(conn, own.user_id, own.session_id)
        record(conn, actor, "session.end_others", f"user:{actor.name}", sessions_ended=ended)
    return ended


def end_all(conn: Connection, user_id: int, *, keep: int | None = None) -> int:
    """End every session of a user except ``keep``. Return how many. The caller writes the audit record."""
    return store.delete_others(conn, user_id, keep)
