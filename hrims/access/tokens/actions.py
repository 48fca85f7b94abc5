"""Actions on tokens: add, find, revoke. A token is returned once; only its hash is stored."""

import contextlib
import hashlib
import re
import secrets
from typing import NamedTuple

import psycopg

from hrims.access import store as access
from hrims.access import users
from hrims.access.audit import Actor, record
from hrims.access.tokens import store
from hrims.access.tokens.store import ListedToken
from hrims.access.users import ROLES
from hrims.db import Connection
from hrims.errors import Conflict, InvalidInput, NotFound
from hrims.numbers import whole

PREFIX = "hrims_"
"""The start of every token, by which people and secret scanners recognise it."""

NAME = re.compile(r"(?![0-9]+\Z)[A-Za-z0-9][A-Za-z0-9 ._@-]{0,63}")


DEFAULT_ROLE = "officer"
"""The role with the fewest rights that may start runs, the usual purpose of a token."""

MAX_DAYS = 3650
"""Maximum number of days for which a token is valid, if it ends."""


class Token(NamedTuple):
    """The machine of a token, its role, and the id of the token."""

    name: str
    role: str
    id: int


def add_token(
    conn: Connection,
    actor: Actor,
    name: str,
    role: str = DEFAULT_ROLE,
    *,
    owner: str | None = None,
    days: int | None = None,
) -> str:
    """Create a token for the machine with this name and return it. It cannot be shown again.

    It ends after ``days`` days, if given, and when the user ``owner`` is disabled.

    Raises InvalidInput for a wrong name, role or number of days, and NotFound if ``owner`` may not sign in.
    Raises Conflict if a token with this name exists and is not revoked.
    """
    name = name.strip()
    _check(name, role, days)
    token = PREFIX + secrets.token_urlsafe(32)
    with conn.transaction():
        owner_id = _lock_owner(conn, owner) if owner is not None else None
        id_ = store.insert_token(conn, name, role, _hash(token), owner_id, days)
        if id_ is None:
            raise _name_taken(store.find_by_name(conn, name))
        ends = {"owner": owner and users.normalize_name(owner), "days": days}
        details = {key: value for key, value in ends.items() if value is not None}
        record(conn, actor, "token.add", f"token:{id_}", name=name, role=role, **details)
    return token


def _name_taken(other: ListedToken | None) -> Conflict:
    message = "There is a token of this name already"
    if other:
        message += f": number {other.id}" if other.is_valid else f": number {other.id}, which has ended"
    return Conflict(
        f"{message}. No token was made. Give another name, or revoke that token first: "
        f"hrims token revoke {other.id if other else 'NAME'}",
        "name_taken",
    )


def _check(name: str, role: str, days: int | None) -> None:
    if not NAME.fullmatch(name):
        raise InvalidInput(
            "A token's name has 1 to 64 letters, digits, spaces and . _ @ -, begins with a letter or "
            "digit, and is no number. No token was made.",
            "bad_name",
        )
    if role not in ROLES:
        raise InvalidInput(f"A role is one of: {', '.join(ROLES)}. No token was made.", "bad_role")
    if days is not None and not 1 <= days <= MAX_DAYS:
        raise InvalidInput(f"A token is valid for 1 to {MAX_DAYS} days. No token was made.", "bad_days")


def _lock_owner(conn: Connection, owner: str) -> int:
    # Lock the owner: a user who is disabled meanwhile would keep this token.
    found = users.find(conn, owner)
    owner_id = access.lock_enabled_user(conn, found.name) if found else None
    if owner_id is None:
        raise NotFound("There is no such user who may sign in. No token was made.", "unknown_user")
    return owner_id


def find_token(conn: Connection, token: str) -> Token | None:
    """Return the machine of this token; None if the token is unknown, has ended or was revoked."""
    row = store.find(conn, _hash(token))
    if row is None:
        return None
    id_, name, role, is_due = row
    if is_due:
        # Machines may still read while the database is read-only.
        with contextlib.suppress(psycopg.errors.ReadOnlySqlTransaction), conn.transaction():
            store.record_use(conn, id_)
    return Token(name, role, id_)


def revoke(conn: Connection, actor: Actor, name_or_id: str) -> ListedToken:
    """Revoke a token immediately, in one transaction with its audit record. Return the token.

    Raises NotFound if there is none, Conflict if it was revoked before.
    """
    with conn.transaction():
        found = _get_token(conn, name_or_id.strip())
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
        raise NotFound(
            "There is no token of this name or number. Nothing was changed. `hrims token list` shows all.",
            "unknown_token",
        )
    return token


def _hash(token: str) -> bytes:
    # A plain hash is enough: 32 random bytes cannot be guessed.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
