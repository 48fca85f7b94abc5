"""What is done with tokens: made, found, revoked. A token is returned once; only its hash is kept."""

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
"""What every token begins with, so that people and secret scanners know one when they see it."""

NAME = re.compile(r"(?![0-9]+\Z)[A-Za-z0-9][A-Za-z0-9 ._@-]{0,63}")


DEFAULT_ROLE = "officer"
"""The least role that may start runs, which is what a machine is let in for."""

LONGEST = 3650
"""Days that a token is valid at most, if it ends at all."""


class Token(NamedTuple):
    """Which machine a token signs in, and as what."""

    name: str
    role: str


def add_token(
    conn: Connection,
    actor: Actor,
    name: str,
    role: str = DEFAULT_ROLE,
    *,
    owner: str | None = None,
    days: int | None = None,
) -> str:
    """Make a token for the machine of this name and return it; it cannot be shown again.

    It ends after so many days, and when the user ``owner`` is disabled. Raises InvalidInput for a wrong name,
    role or number of days, NotFound if ``owner`` may not sign in, Conflict if a token that was not revoked
    has this name.
    """
    name = name.strip()
    _check(name, role, days)
    token = PREFIX + secrets.token_urlsafe(32)
    with conn.transaction():
        owner_id = _hold_owner(conn, owner) if owner is not None else None
        id_ = store.insert(conn, name, role, _hash(token), owner_id, days)
        if id_ is None:
            raise _name_taken(store.by_name(conn, name))
        ends = {"owner": owner and users.normal_name(owner), "days": days}
        told = {key: value for key, value in ends.items() if value is not None}
        record(conn, actor, "token.add", f"token:{id_}", name=name, role=role, **told)
    return token


def _name_taken(there: ListedToken | None) -> Conflict:
    words = "There is a token of this name already"
    if there:
        words += f": number {there.id}" if there.is_valid else f": number {there.id}, which has ended"
    return Conflict(
        f"{words}. No token was made. Give another name, or revoke that token first: "
        f"hrims token revoke {there.id if there else 'NAME'}",
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
    if days is not None and not 1 <= days <= LONGEST:
        raise InvalidInput(f"A token is valid for 1 to {LONGEST} days. No token was made.", "bad_days")


def _hold_owner(conn: Connection, owner: str) -> int:
    # Held, because a user who is disabled meanwhile would keep this token.
    found = users.find(conn, owner)
    owner_id = access.hold_enabled(conn, found.name) if found else None
    if owner_id is None:
        raise NotFound("There is no such user who may sign in. No token was made.", "unknown_user")
    return owner_id


def find(conn: Connection, token: str) -> Token | None:
    """Return the machine that this token signs in; None if it is unknown, has ended or was revoked."""
    row = store.find(conn, _hash(token))
    if row is None:
        return None
    id_, name, role, is_due = row
    if is_due:
        # A database that cannot be written still lets machines read.
        with contextlib.suppress(psycopg.errors.ReadOnlySqlTransaction), conn.transaction():
            store.used(conn, id_)
    return Token(name, role)


def revoke(conn: Connection, actor: Actor, name_or_id: str) -> ListedToken:
    """End a token at once, in one transaction with its audit record; return it.

    Raises NotFound if there is none, Conflict if it was revoked before.
    """
    with conn.transaction():
        found = _one(conn, name_or_id.strip())
        if not store.revoke(conn, found.id):
            raise Conflict(f"Token {found.id} was revoked before. Nothing was changed.", "revoked_before")
        record(conn, actor, "token.revoke", f"token:{found.id}", name=found.name)
    return found


def _one(conn: Connection, name_or_id: str) -> ListedToken:
    id_ = whole(name_or_id)
    if id_ and (found := store.by_id(conn, id_)):
        return found
    named = store.by_name(conn, name_or_id) if NAME.fullmatch(name_or_id) else None
    if named is None:
        raise NotFound(
            "There is no token of this name or number. Nothing was changed. `hrims token list` shows all.",
            "unknown_token",
        )
    return named


def _hash(token: str) -> bytes:
    # A plain hash is enough for 32 random bytes: they are too many to try.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
