"""People who may sign in: a name, a role and a password come in; a row, and its audit record, go out."""

import re

import psycopg

from hrims.access import passwords, store
from hrims.access.audit import Actor, record
from hrims.access.store import User
from hrims.db import Connection
from hrims.errors import Conflict, InvalidInput, NotFound

ROLES = ("administrator", "officer", "auditor")

FIRST = "admin"
"""The name of the first administrator."""

NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")


def add_user(conn: Connection, actor: Actor, name: str, role: str, password: str) -> int:
    """Adds a user, whose name is kept in lower case; returns the id.

    Raises InvalidInput for a wrong name, role or password, Conflict when the name is taken.
    """
    name = _checked_name(name)
    if role not in ROLES:
        raise InvalidInput(f"A role is one of: {', '.join(ROLES)}. Nobody was added.", "bad_role")
    password_hash = passwords.hash_of(password)
    with conn.transaction():
        id_ = store.insert_user(conn, name, role, password_hash)
        if id_ is None:
            raise Conflict(f"There is a user {name} already. Nothing was changed.", "name_taken")
        record(conn, actor, "user.add", f"user:{name}", role=role)
    return id_


def set_password(conn: Connection, actor: Actor, name: str, password: str) -> None:
    """Gives a user another password and ends the user's sessions.

    Raises InvalidInput for a password that may not be used, NotFound for an unknown user.
    """
    password_hash = passwords.hash_of(password)
    with conn.transaction():
        user = _known(conn, name)
        store.update_password(conn, user.id, password_hash)
        ended = store.delete_sessions_of(conn, user.id)
        record(conn, actor, "user.set_password", f"user:{user.name}", sessions_ended=ended)


def disable(conn: Connection, actor: Actor, name: str) -> tuple[int, int]:
    """Disable a user and end the user's sessions and tokens, in one transaction with the audit record.

    Return how many of each. Raises NotFound for an unknown user, Conflict if the user is disabled or is the
    last enabled administrator; a trigger refuses that, also if two disable one another at the same time.
    """
    try:
        with conn.transaction():
            user = _known(conn, name)
            if not store.disable_user(conn, user.id):
                raise Conflict(f"{user.name} is disabled already. Nothing was changed.", "disabled_before")
            sessions, tokens = store.delete_sessions_of(conn, user.id), store.revoke_tokens_of(conn, user.id)
            ended = {"sessions_ended": sessions, "tokens_revoked": tokens}
            record(conn, actor, "user.disable", f"user:{user.name}", **ended)
    except psycopg.errors.CheckViolation as refused:
        if refused.diag.constraint_name != "users_keep_an_administrator":
            raise
        raise Conflict(
            f"{normal_name(name)} is the last administrator who may sign in. Nothing was changed. "
            "Add or enable another administrator first.",
            "last_administrator",
        ) from None
    return sessions, tokens


def enable(conn: Connection, actor: Actor, name: str) -> None:
    """Let a disabled user sign in again; sessions and tokens that ended stay so.

    Raises NotFound for an unknown user, Conflict if the user is enabled.
    """
    with conn.transaction():
        user = _known(conn, name)
        if not store.enable_user(conn, user.id):
            raise Conflict(f"{user.name} is enabled already. Nothing was changed.", "enabled_before")
        record(conn, actor, "user.enable", f"user:{user.name}")


def _known(conn: Connection, name: str) -> User:
    user = find(conn, name)
    if not user:
        raise NotFound("There is no user of this name. Nothing was changed.", "unknown_user")
    return user


def find(conn: Connection, name: str) -> User | None:
    """The user of this name, in whatever case it is given."""
    name = normal_name(name)
    return store.user(conn, name) if NAME.fullmatch(name) else None


def nobody_yet(conn: Connection) -> bool:
    """Whether there are no users at all."""
    return not store.any_user(conn)


def first_administrator(conn: Connection, actor: Actor, password: str | None) -> tuple[str, str] | None:
    """Adds the user ``admin`` when there are no users at all, in one transaction.

    Returns the name and the password, which is made up unless it is given; None when there was
    somebody already. Two processes that start at once add one. Raises InvalidInput for a password
    that may not be used.
    """
    with conn.transaction():
        store.lock_users(conn)
        if store.any_user(conn):
            return None
        password = password or passwords.generated()
        add_user(conn, actor, FIRST, "administrator", password)
    return FIRST, password


def normal_name(name: str) -> str:
    """A name as it is kept: without spaces around it, in lower case."""
    return name.strip().lower()


def _checked_name(name: str) -> str:
    name = normal_name(name)
    if not NAME.fullmatch(name):
        raise InvalidInput(
            "A name has 1 to 64 of the letters a to z, digits and . _ @ -, and begins with a letter or "
            "digit. Nobody was added.",
            "bad_name",
        )
    return name
