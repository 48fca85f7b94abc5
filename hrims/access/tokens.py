"""Machines' sign-ins to the API: a name comes in, a token goes out, once. Only its hash is kept."""

import hashlib
import re
import secrets
from typing import NamedTuple

from hrims.access import store
from hrims.access.audit import Actor, record
from hrims.access.users import ROLES
from hrims.db import Connection
from hrims.errors import InvalidInput

PREFIX = "hrims_"
"""What every token begins with, so that people and secret scanners know one when they see it."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._@-]{0,63}")


class Token(NamedTuple):
    """Which machine a token signs in, and as what."""

    name: str
    role: str


def add_token(conn: Connection, actor: Actor, name: str, role: str = "administrator") -> str:
    """Makes a token for the machine of this name and returns it; it cannot be shown again.

    Raises InvalidInput for a wrong name or role.
    """
    name = name.strip()
    if not NAME.fullmatch(name):
        raise InvalidInput(
            "A token's name has 1 to 64 letters, digits, spaces and . _ @ -, and begins with a letter or "
            "digit. No token was made.",
            "bad_name",
        )
    if role not in ROLES:
        raise InvalidInput(f"A role is one of: {', '.join(ROLES)}. No token was made.", "bad_role")
    token = PREFIX + secrets.token_urlsafe(32)
    with conn.transaction():
        id_ = store.insert_token(conn, name, role, _hash(token))
        record(conn, actor, "token.add", f"token:{id_}", name=name, role=role)
    return token


def find(conn: Connection, token: str) -> Token | None:
    """Whom this token signs in; None when it is unknown or revoked."""
    row = store.token(conn, _hash(token))
    return Token(*row) if row else None


def _hash(token: str) -> bytes:
    # A plain hash is enough for 32 random bytes: nobody can try them all.
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
