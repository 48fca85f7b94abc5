"""A person's sign-in: a name and a password come in; the token for a cookie, or a refusal, goes out."""

from hrims.access import passwords, sessions, store, throttle, users
from hrims.access.audit import Actor, record
from hrims.access.store import User
from hrims.db import Connection, Pool
from hrims.errors import NotSignedIn

NO_NAME = "(not a name)"
"""Stands for what was typed as a name and cannot be one: it may well be a password."""

NOBODY = "(not signed in)"
"""The actor of a sign-in that failed: the name that was typed proves nothing."""


def sign_in(
    pool: Pool, name: str, password: str, *, address: str | None, hours: float, before: str | None = None
) -> str:
    """Signs a person in for so many hours; returns the cookie's token, always a new one.

    The session ``before``, if the browser had one, ends. Raises NotSignedIn when name or password are
    wrong, without saying which, and TooManyFailures when either was tried too often.
    """
    name = users.normal_name(name)
    shown = name if users.NAME.fullmatch(name) else NO_NAME
    with pool.connection() as conn:
        claimed = throttle.claim(conn, shown, address)
        user = users.find(conn, name)
    # Without a connection in hand: the check is slow on purpose, and connections are few.
    right = passwords.matches(password, user.password_hash if user else None)
    with pool.connection() as conn, conn.transaction():
        # Held, because whoever changes the password ends the sessions that are there: not this one after.
        if user and right and store.hold_unchanged(conn, user):
            return _begin(conn, user, claimed, address, hours, before)
        record(conn, Actor(NOBODY, "page", address), "session.sign_in_failed", f"user:{shown}")
    raise NotSignedIn("This name and password do not belong together.", "wrong_password")


def sign_out(conn: Connection, token: str, address: str | None) -> None:
    """Ends a session, if there still is one."""
    with conn.transaction():
        name = sessions.end(conn, token)
        if name:
            record(conn, Actor(name, "page", address), "session.sign_out", f"user:{name}")


def _begin(
    conn: Connection, user: User, claimed: int, address: str | None, hours: float, before: str | None
) -> str:
    throttle.take_back(conn, claimed)
    if before:
        sessions.end(conn, before)
    record(conn, Actor(user.name, "page", address), "session.sign_in", f"user:{user.name}")
    return sessions.begin(conn, user.id, address, hours)
