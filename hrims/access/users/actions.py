"""Users. Input: a name, a role and a password. Output: a row and its audit record."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import psycopg

from hrims.access import devices, passwords, sessions
from hrims.access import store as access
from hrims.access.actor import Actor
from hrims.access.audit import record
from hrims.access.permissions import ADMINISTRATOR, AUDITOR
from hrims.access.permissions import ROLES as PERMISSIONS
from hrims.access.users import store
from hrims.access.users.approvers import ALONE, explain_missing_approver, has_no_second_administrator
from hrims.access.users.lookup import get
from hrims.access.users.names import check_name, normalize_name
from hrims.db import Connection
from hrims.errors import Conflict, InvalidInput, NotFound

ROLES = tuple(PERMISSIONS)

ROLES_WITH_ALL = frozenset({ADMINISTRATOR, AUDITOR})
"""The roles whose users have all institutions."""

EXTERNAL = "signs in with the OpenID provider and has no password here."
"""What a message says of such a user, after the name."""

FIRST_ADMINISTRATOR = "admin"
"""The name of the first administrator."""


def add_user(
    conn: Connection,
    actor: Actor,
    name: str,
    role: str,
    password: str | None,
    institutions: list[int] | None = None,
    *,
    must_change: bool = False,
) -> int:
    """Add a user of these institutions, None for all, and return the id. The name is saved in lower case.

    Without a password the user needs a set-up link. With ``must_change``, the user must change the password
    at the first sign-in.

    Raises InvalidInput for a wrong name, role or password, Conflict if the name is taken. Raises NotFound for
    an unknown institution.
    """
    name = check_name(name)
    check_role(role, institutions)
    password_hash = None if password is None else passwords.hash_password(password, name)
    with conn.transaction():
        if role == ADMINISTRATOR and not has_no_second_administrator(conn, actor):
            raise Conflict(
                "Another administrator must approve the role administrator. No user was added. "
                "Add the user with another role, then change the role. "
                f"{explain_missing_approver(conn, actor)}".rstrip(),
                "needs_approval",
            )
        is_alone = role == ADMINISTRATOR and store.has_users(conn)
        id_ = store.insert_user(
            conn,
            name,
            role,
            password_hash,
            all_institutions=institutions is None,
            must_change=must_change,
        )
        if id_ is None:
            raise Conflict(f"There is a user {name} already. Nothing was changed.", "name_taken")
        _save_institutions(conn, id_, institutions)
        details: dict[str, Any] = {} if institutions is None else {"institutions": sorted(institutions)}
        details |= ALONE if is_alone else {}
        record(conn, actor, "user.add", f"user:{name}", role=role, **details)
    return id_


def check_role(role: str, institutions: list[int] | None) -> None:
    """Raise InvalidInput for a wrong role, or one that has all institutions and cannot be limited."""
    if role not in ROLES:
        raise InvalidInput(f"A role is one of: {', '.join(ROLES)}. Nothing was changed.", "bad_role")
    if role in ROLES_WITH_ALL and institutions is not None:
        raise InvalidInput(
            f"The role {role} has all institutions. Nothing was changed.", "role_has_all_institutions"
        )


def _save_institutions(conn: Connection, user_id: int, institutions: list[int] | None) -> None:
    if institutions is not None and not institutions:
        raise InvalidInput("Give at least one institution, or all. Nothing was changed.", "no_institutions")
    if unknown := store.replace_institutions(conn, user_id, institutions):
        raise NotFound(
            f"There is no institution {unknown[0]} on the register. Nothing was changed.",
            "unknown_institution",
        )


def set_role(
    conn: Connection,
    actor: Actor,
    name: str,
    role: str,
    *,
    is_approved: bool = False,
    is_alone: bool = False,
    institutions: list[int] | Literal["all"] | None = None,
) -> None:
    """Change the role of a user, and the institutions if they are given.

    A role that has all institutions drops the limit to some. A user who leaves such a role has no
    institutions unless they are given: the database keeps that.

    ``is_approved`` and ``is_alone`` tell why the role administrator is given: a second administrator approved
    it, or there is none.

    Raises InvalidInput for a wrong role or institutions, NotFound for an unknown user or institution,
    Conflict if the user has the role already or is the last enabled administrator.
    """
    given = None if institutions == "all" else institutions
    check_role(role, given)
    with _keeping_an_administrator(name), conn.transaction():
        user = get(conn, name)
        if user.role == role:
            raise Conflict(f"{user.name} is {role} already. Nothing was changed.", "role_before")
        if role == ADMINISTRATOR and not (is_approved or is_alone):
            raise Conflict(
                "Another administrator must approve this first. Nothing was changed.", "needs_approval"
            )
        before = store.find_institutions(conn, user.id)
        if role in ROLES_WITH_ALL:
            store.replace_institutions(conn, user.id, None)
        store.update_role(conn, user.id, role)
        if institutions is not None:
            _save_institutions(conn, user.id, given)
        details = (ALONE if is_alone else {}) | _describe_new_scope(conn, user.id, before)
        record(conn, actor, "user.set_role", f"user:{user.name}", before=user.role, after=role, **details)


def _describe_new_scope(conn: Connection, user_id: int, before: list[int] | None) -> dict[str, Any]:
    after = store.find_institutions(conn, user_id)
    return {} if after == before else {"institutions": "all" if after is None else after}


def set_institutions(conn: Connection, actor: Actor, name: str, institutions: list[int] | None) -> None:
    """Change the institutions of a user; None gives all.

    Raises InvalidInput for an empty list or for a role that has all, NotFound for an unknown user or
    institution.
    """
    with conn.transaction():
        user = get(conn, name)
        check_role(user.role, institutions)
        before = store.find_institutions(conn, user.id)
        _save_institutions(conn, user.id, institutions)
        record(
            conn,
            actor,
            "user.set_institutions",
            f"user:{user.name}",
            before="all" if before is None else before,
            after="all" if institutions is None else sorted(institutions),
        )


def set_password(
    conn: Connection, actor: Actor, name: str, password: str, *, must_change: bool = False
) -> None:
    """Set another password of a user, end the user's sessions and forget the user's known devices.

    With ``must_change``, the user must change the password at the next sign-in.

    Raises InvalidInput for a password that is not allowed, NotFound for an unknown user, Conflict for a user
    of the OpenID provider.
    """
    password_hash = passwords.hash_password(password, normalize_name(name))
    with conn.transaction():
        user = get(conn, name)
        if store.is_external(conn, user.id):
            raise Conflict(f"{user.name} {EXTERNAL} Nothing was changed.", "external_user")
        store.update_password(conn, user.id, password_hash, must_change=must_change)
        ended = sessions.end_all(conn, user.id)
        devices.forget(conn, user.id)
        record(conn, actor, "user.set_password", f"user:{user.name}", sessions_ended=ended)


def disable(conn: Connection, actor: Actor, name: str) -> tuple[int, int]:
    """Disable a user and end the user's sessions and tokens, in one transaction with the audit record.

    Return how many of each. Raises NotFound for an unknown user, Conflict if the user is disabled already or
    is the last enabled administrator. A trigger refuses the latter, also if two administrators disable each
    other at the same time.
    """
    with _keeping_an_administrator(name), conn.transaction():
        user = get(conn, name)
        if not store.disable_user(conn, user.id):
            raise Conflict(f"{user.name} is disabled already. Nothing was changed.", "disabled_before")
        ended, revoked = sessions.end_all(conn, user.id), access.revoke_tokens_of(conn, user.id)
        subject = f"user:{user.name}"
        record(conn, actor, "user.disable", subject, sessions_ended=ended, tokens_revoked=revoked)
    return ended, revoked


@contextmanager
def _keeping_an_administrator(name: str) -> Iterator[None]:
    """Raise Conflict if a trigger refuses to remove the last enabled administrator."""
    try:
        yield
    except psycopg.errors.CheckViolation as error:
        if error.diag.constraint_name != "users_keep_an_administrator":
            raise
        raise Conflict(
            f"{normalize_name(name)} is the last administrator who may sign in. Nothing was changed. "
            "Add or enable another administrator first.",
            "last_administrator",
        ) from None


def enable(conn: Connection, actor: Actor, name: str) -> None:
    """Let a disabled user sign in again. Ended sessions and revoked tokens stay ended.

    Raises NotFound for an unknown user, Conflict if the user is enabled already.
    """
    with conn.transaction():
        user = get(conn, name)
        if not store.enable_user(conn, user.id):
            raise Conflict(f"{user.name} is enabled already. Nothing was changed.", "enabled_before")
        record(conn, actor, "user.enable", f"user:{user.name}")


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
