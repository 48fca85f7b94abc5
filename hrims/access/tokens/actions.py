"""Actions on tokens: add, find, revoke. A token is returned once; only its hash is stored."""

import contextlib
import re
import secrets
from typing import Any

import psycopg

from hrims.access import users
from hrims.access.actor import Actor
from hrims.access.audit import record
from hrims.access.permissions import SYNC_SCOPE, TOKEN_SCOPES, Permission
from hrims.access.scope import Scope
from hrims.access.token_hash import hash_token
from hrims.access.tokens import store
from hrims.access.tokens.store import ListedToken
from hrims.access.users.store import find_known_institutions, lock_enabled_user
from hrims.db import Connection
from hrims.errors import Conflict, InvalidInput, NotAllowed, NotFound, Unprocessable
from hrims.numbers import whole

PREFIX = "hrims_"
"""The start of every token, by which people and secret scanners recognise it."""

NAME = re.compile(r"(?![0-9]+\Z)[A-Za-z0-9][A-Za-z0-9 ._@-]{0,63}")


SCOPES = tuple(TOKEN_SCOPES)

DEFAULT_SCOPE = SYNC_SCOPE
"""The smallest scope that may start runs, the usual purpose of a token."""

MAX_DAYS = 3650
"""Maximum number of days for which a token is valid, if it ends."""


def add_token(
    conn: Connection,
    actor: Actor,
    name: str,
    scope: str = DEFAULT_SCOPE,
    *,
    user: str | None = None,
    institutions: list[int] | None = None,
    days: int | None = None,
) -> str:
    """Create a token for the machine with this name and return it. It cannot be shown again.

    It belongs to ``user``, by default the actor, and never exceeds the user's rights. ``institutions`` limits
    it to some of the user's. It ends after ``days`` days, if given, and when the user is disabled. If another
    user makes it, it approves nothing: its maker could approve an own request with it.

    Raises InvalidInput for a wrong name, scope or number of days, and Unprocessable if the user may not sign
    in or does not have one of the institutions. Raises NotAllowed if the actor may not add a token of
    this user, and Conflict if a token with this name exists and is not revoked.
    """
    name = name.strip()
    _check(name, scope, institutions, days)
    token = PREFIX + secrets.token_urlsafe(32)
    with conn.transaction():
        user_id, owner, owned = _lock_user(conn, actor, user)
        _check_institutions(conn, actor, Scope(None if owned is None else tuple(owned)), institutions)
        limits = {"institutions": institutions and sorted({*institutions}), "days": days}
        row = {
            "name": name,
            "scope": scope,
            "token_hash": hash_token(token),
            "user_id": user_id,
            "may_approve": user_id == actor.user_id,
            **limits,
        }
        id_ = store.insert_token(conn, row, days)
        if id_ is None:
            raise _name_taken(actor, store.find_by_name(conn, name))
        details: dict[str, Any] = {key: value for key, value in limits.items() if value is not None}
        record(conn, actor, "token.add", f"token:{id_}", name=name, scope=scope, user=owner, **details)
    return token


def _check_institutions(conn: Connection, actor: Actor, scope: Scope, institutions: list[int] | None) -> None:
    known = find_known_institutions(conn, institutions or [])
    if missing := [id_ for id_ in institutions or [] if id_ not in known or not scope.covers(id_)]:
        # A name is shown only to an actor who may see the institution.
        name = store.find_institution_name(conn, missing[0]) if actor.scope.covers(missing[0]) else None
        raise Unprocessable(
            f"The user does not have {name or 'one of these institutions'}. No token was made.",
            "unknown_institution",
        )


def _name_taken(actor: Actor, other: ListedToken | None) -> Conflict:
    """Return the error. It describes the other token only to an actor who may revoke it."""
    message, advice = "There is a token of this name already", "Give another name"
    if other and (other.user_id == actor.user_id or actor.can(Permission.MANAGE_TOKENS)):
        message += f", of {other.user}" + ("" if other.is_valid else ", which has ended")
        advice += ", or revoke that token first"
        if actor.via != "page":
            advice += f": hrims token revoke {other.id}"
    return Conflict(f"{message}. No token was made. {advice}.", "name_taken")


def _check(name: str, scope: str, institutions: list[int] | None, days: int | None) -> None:
    if not NAME.fullmatch(name):
        raise InvalidInput(
            "A token's name has 1 to 64 letters, digits, spaces and . _ @ -, begins with a letter or "
            "digit, and is no number. No token was made.",
            "bad_name",
        )
    if scope not in SCOPES:
        raise InvalidInput(f"A scope is one of: {', '.join(SCOPES)}. No token was made.", "bad_scope")
    if institutions is not None and not institutions:
        raise InvalidInput(
            "Give at least one institution, or none for all. No token was made.", "no_institutions"
        )
    if days is not None and not 1 <= days <= MAX_DAYS:
        raise InvalidInput(f"A token is valid for 1 to {MAX_DAYS} days. No token was made.", "bad_days")


def _lock_user(conn: Connection, actor: Actor, name: str | None) -> tuple[int, str, list[int] | None]:
    # Lock the user: one who is disabled meanwhile would keep this token.
    user_id = actor.user_id
    if name is not None:
        found = users.find(conn, name)
        user_id = found.id if found else None
    if user_id != actor.user_id and not actor.can(Permission.MANAGE_TOKENS):
        raise NotAllowed("Only administrators add tokens of other users. No token was made.")
    if user_id == actor.user_id and not actor.can(Permission.OWN_TOKENS):
        raise NotAllowed("Your role does not allow tokens of your own. No token was made.")
    locked = lock_enabled_user(conn, user_id) if user_id is not None else None
    if locked is None:
        raise Unprocessable("There is no such user who may sign in. No token was made.", "unknown_user")
    return locked


def find_token(conn: Connection, token: str) -> Actor | None:
    """Return the machine of this token as an actor; None if it is unknown, has ended or was revoked."""
    found = store.find(conn, hash_token(token))
    if found is None:
        return None
    if found.is_use_due:
        # Machines may still read while the database is read-only.
        with contextlib.suppress(psycopg.errors.ReadOnlySqlTransaction), conn.transaction():
            store.record_use(conn, found.id)
    institutions = found.user_institutions
    scope = Scope(
        None if institutions is None else tuple(institutions),
        found.user_id,
        None if found.institutions is None else found.id,
    )
    return Actor(
        # User names contain no colon, so the audit record distinguishes tokens from users.
        f"token:{found.name}",
        "api",
        user_id=found.user_id,
        role=found.role,
        scope=scope.narrowed(found.institutions),
        token_id=found.id,
        token_scope=found.scope,
        may_approve=found.may_approve,
    )


def revoke(conn: Connection, actor: Actor, name_or_id: str) -> ListedToken:
    """Revoke a token immediately, in one transaction with its audit record. Return the token.

    Raises NotFound if there is none, Conflict if it was revoked before.
    """
    with conn.transaction():
        found = _get_token(conn, name_or_id.strip())
        if found.user_id != actor.user_id and not actor.can(Permission.MANAGE_TOKENS):
            raise _unknown()
        if not store.revoke(conn, found.id):
            raise Conflict(f"Token {found.id} was revoked before. Nothing was changed.", "revoked_before")
        record(conn, actor, "token.revoke", f"token:{found.id}", name=found.name)
    return found


def _get_token(conn: Connection, name_or_id: str) -> ListedToken:
    id_ = whole(name_or_id)
    if id_ and (found := store.find_by_id(conn, id_)):
        return found
    token = store.find_by_name(conn, name_or_id) if NAME.fullmatch(name_or_id) else None
    if token is None:
        raise _unknown()
    return token


def _unknown() -> NotFound:
    return NotFound(
        "There is no token of this name or number. Nothing was changed. `hrims token list` shows all.",
        "unknown_token",
    )
