"""Users. Input: a name, a role and a password. Output: a row and its audit record."""

import re

import psycopg

from hrims.access import passwords, store
from hrims.access.audit import Actor, record
from hrims.access.store import User
from hrims.db import Connection
from hrims.errors import Conflict, InvalidInput, NotFound

ROLES = ("administrator", "officer", "auditor")

FIRST_ADMINISTRATOR = "admin"
"""The name of the first administrator."""

NAME = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")


def add_user(conn: Connection, actor: Actor, name: str, role: str, password: str) -> int:
    """Add a user and return the id. The name is saved in lower case.

    Raises InvalidInput for a wrong name, role or password, Conflict if the name is taken.
    """
    name = _check_name(name)
    if role not in ROLES:
        raise InvalidInput(f"A role is one of: {', '.join(ROLES)}. No user was added.", "bad_role")
    password_hash = passwords.hash_password(password)
    with conn.transaction():
        id_ = store.insert_user(conn, name, role, password_hash)
        if id_ is None:
            raise Conflict(f"There is a user {name} already. Nothing was changed.", "name_taken")
        record(conn, actor, "user.add", f"user:{name}", role=role)
    return id_


def set_password(conn: Connection, actor: Actor, name: str, password: str) -> None:
    """Set another password of a user and end the user's sessions.

    Raises InvalidInput for a password that is not allowed, NotFound for an unknown user.
    """
    password_hash = passwords.hash_password(password)
    with conn.transaction():
        user = _get_user(conn, name)
        store.update_password(conn, user.id, password_hash)
        ended = store.delete_sessions_of(conn, user.id)
        record(conn, actor, "user.set_password", f"user:{user.name}", sessions_ended=ended)


def disable(conn: Connection, actor: Actor, name: str) -> tuple[int, int]:
    """Disable a user and end the user's sessions and tokens, in one transaction with the audit record.

    Return how many of each. Raises NotFound for an unknown user, Conflict if the user is disabled already or
    is the last enabled administrator. A trigger refuses the latter, also if two administrators disable each
    other at the same time.
    """
    try:
        with conn.transaction():
            user = _get_user(conn, name)
            if not store.disable_user(conn, user.id):
                raise Conflict(f"{user.name} is disabled already. Nothing was changed.", "disabled_before")
            sessions, tokens = store.delete_sessions_of(conn, user.id), store.revoke_tokens_of(conn, user.id)
            ended = {"sessions_ended": sessions, "tokens_revoked": tokens}
            record(conn, actor, "user.disable", f"user:{user.name}", **ended)
    except psycopg.errors.CheckViolation as error:
        if error.diag.constraint_name != "users_keep_an_administrator":
            raise
        raise Conflict(
            f"{normalize_name(name)} is the last administrator who may sign in. Nothing was changed. "
            "Add or enable another administrator first.",
            "last_administrator",
        ) from None
    return sessions, tokens


def enable(conn: Connection, actor: Actor, name: str) -> None:
    """Let a disabled user sign in again. Ended sessions and revoked tokens stay ended.

    Raises NotFound for an unknown user, Conflict if the user is enabled already.
    """
    with conn.transaction():
        user = _get_user(conn, name)
        if not store.enable_user(conn, user.id):
            raise Conflict(f"{user.name} is enabled already. Nothing was changed.", "enabled_before")
        record(conn, actor, "user.enable", f"user:{user.name}")


def _get_user(conn: Connection, name: str) -> User:
    user = find(conn, name)
    if not user:
        raise NotFound("There is no user of this name. Nothing was changed.", "unknown_user")
    return user


def find(conn: Connection, name: str) -> User | None:
    """Return the user with this name, in any letter case; None if there is none."""
    name = normalize_name(name)
    return store.find_user(conn, name) if NAME.fullmatch(name) else None


def has_no_users(conn: Connection) -> bool:
    """Return whether there are no users."""
    return not store.has_users(conn)


def first_administrator(conn: Connection, actor: Actor, password: str | None) -> tuple[str, str] | None:
    """Add the user ``admin`` in one transaction if there are no users.

    Return the name and the password, which is generated if none is given; None if there is a user already.
    Two processes that start at the same time add one user. Raises InvalidInput for a password that is not
    allowed.
    """
    with conn.transaction():
        store.lock_users(conn)
        if store.has_users(conn):
            return None
        password = password or passwords.generate()
        add_user(conn, actor, FIRST_ADMINISTRATOR, "administrator", password)
    return FIRST_ADMINISTRATOR, password


def normalize_name(name: str) -> str:
    """Return a name as it is stored: in lower case, without surrounding white space."""
    return name.strip().lower()


def _check_name(name: str) -> str:
    name = normalize_name(name)
    if not NAME.fullmatch(name):
        raise InvalidInput(
            "A name has 1 to 64 of the letters a to z, digits and . _ @ -, and begins with a letter or "
            "digit. No user was added.",
            "bad_name",
        )
    return name
