"""Sign-in of users. Input: a name and a password. Output: the token for a cookie, or a refusal."""

from hrims.access import passwords, sessions, throttle, users
from hrims.access.actor import Actor
from hrims.access.audit import record
from hrims.access.users.store import User, lock_if_unchanged
from hrims.db import Connection, Pool
from hrims.errors import NotSignedIn

NO_NAME = "(not a name)"
"""Replaces typed text that cannot be a user name: it may well be a password."""

ANONYMOUS = "(not signed in)"
"""The actor of a sign-in that failed: the name that was typed proves nothing."""


def sign_in(
    pool: Pool,
    name: str,
    password: str,
    *,
    address: str | None,
    hours: float,
    old_token: str | None = None,
) -> str:
    """Sign a user in for ``hours`` hours. Return the token for the cookie, which is always new.

    The browser's earlier session ``old_token``, if any, ends. Raises NotSignedIn if the name or the password
    is wrong, without saying which. Raises TooManyFailures if the name or the address failed too often.
    """
    name = users.normalize_name(name)
    audited_name = name if users.NAME.fullmatch(name) else NO_NAME
    with pool.connection() as conn:
        failure_id = throttle.claim(conn, audited_name, address)
        user = users.find(conn, name)
    # Use no connection meanwhile: the check is slow on purpose, and connections are few.
    is_correct = passwords.matches(password, user.password_hash if user else None)
    with pool.connection() as conn, conn.transaction():
        # Lock the user. A change of the password ends all existing sessions; without the lock it would miss a
        # session that is inserted just afterwards.
        if user and is_correct and lock_if_unchanged(conn, user):
            return _begin(conn, user, failure_id, address, hours, old_token)
        record(conn, Actor(ANONYMOUS, "page", address), "session.sign_in_failed", f"user:{audited_name}")
    raise NotSignedIn("This name and password do not belong together.", "wrong_password")


def sign_out(conn: Connection, token: str, address: str | None) -> None:
    """End a session if it still exists."""
    with conn.transaction():
        name = sessions.end(conn, token)
        if name:
            record(conn, Actor(name, "page", address), "session.sign_out", f"user:{name}")


def _begin(
    conn: Connection,
    user: User,
    failure_id: int,
    address: str | None,
    hours: float,
    old_token: str | None,
) -> str:
    throttle.release(conn, failure_id)
    if old_token:
        sessions.end(conn, old_token)
    record(conn, Actor(user.name, "page", address), "session.sign_in", f"user:{user.name}")
    return sessions.begin(conn, user.id, address, hours)
