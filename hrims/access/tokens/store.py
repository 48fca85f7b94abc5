"""SQL of the tokens of machines. Each function runs inside its caller's transaction."""

from datetime import datetime
from typing import Any, NamedTuple

from hrims.db import Connection

IS_VALID = """
t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now()) AND u.disabled_at IS NULL
"""
"""The condition under which a token ``t`` of the user ``u`` is valid."""


FIND = f"""
SELECT t.id, t.name, t.scope, u.id, u.role, scope_of(u.id), t.institutions, t.may_approve,
       coalesce(t.last_used_at < now() - interval '1 minute', true)
FROM tokens t JOIN users u ON u.id = t.user_id WHERE t.token_hash = %s AND {IS_VALID}
"""  # noqa: S608 - a constant


class ListedToken(NamedTuple):
    """A token in a list, without its secret, which is not stored.

    ``institutions`` is None for all of the user.
    """

    id: int
    name: str
    scope: str
    user_id: int
    user: str
    institutions: list[str] | None
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None
    is_valid: bool


def insert_token(conn: Connection, token: dict[str, Any], days: int | None) -> int | None:
    """Add a token that ends after ``days`` days, or never. Return its id; None if the name is taken."""
    row = conn.execute(
        "INSERT INTO tokens (name, scope, token_hash, user_id, institutions, may_approve, expires_at)"
        " VALUES (%(name)s, %(scope)s, %(token_hash)s, %(user_id)s, %(institutions)s, %(may_approve)s,"
        " now() + make_interval(days => %(days)s))"
        " ON CONFLICT (name) WHERE revoked_at IS NULL DO NOTHING RETURNING id",
        token | {"days": days},
    ).fetchone()
    return row[0] if row else None


class FoundToken(NamedTuple):
    """A valid token and its user.

    ``user_institutions`` and ``institutions`` are None for all. ``is_use_due`` tells that the last use must
    be recorded again.
    """

    id: int
    name: str
    scope: str
    user_id: int
    role: str
    user_institutions: list[int] | None
    institutions: list[int] | None
    may_approve: bool
    is_use_due: bool


def find(conn: Connection, token_hash: bytes) -> FoundToken | None:
    """Return the valid token with this hash; None if there is none."""
    row = conn.execute(FIND.encode(), (token_hash,)).fetchone()
    return FoundToken(*row) if row else None


def record_use(conn: Connection, id_: int) -> None:
    """Record that a token is used now, unless another request is recording it."""
    conn.execute(
        "UPDATE tokens SET last_used_at = now()"
        " WHERE id = (SELECT id FROM tokens WHERE id = %s FOR NO KEY UPDATE SKIP LOCKED)",
        (id_,),
    )


LISTED = f"""
SELECT t.id, t.name, t.scope, u.id, u.name, CASE WHEN t.institutions IS NOT NULL THEN array(
           SELECT i.name FROM institutions i WHERE i.id = ANY(t.institutions) ORDER BY i.name_key) END,
       t.created_at, t.last_used_at, t.expires_at, t.revoked_at, {IS_VALID}
FROM tokens t JOIN users u ON u.id = t.user_id
"""  # noqa: S608 - a constant


def list_tokens(conn: Connection, user_id: int | None = None) -> list[ListedToken]:
    """Return the tokens of a user, or all for None, ordered by name, including those that have ended."""
    rows = conn.execute(
        f"{LISTED} WHERE %(user)s::bigint IS NULL OR t.user_id = %(user)s ORDER BY t.name, t.id".encode(),
        {"user": user_id},
    )
    return [ListedToken(*row) for row in rows]


def find_by_id(conn: Connection, id_: int) -> ListedToken | None:
    """Return the token with this id; None if there is none."""
    row = conn.execute(f"{LISTED} WHERE t.id = %s".encode(), (id_,)).fetchone()
    return ListedToken(*row) if row else None


def find_by_name(conn: Connection, name: str) -> ListedToken | None:
    """Return the token with this name that was not revoked; None if there is none."""
    row = conn.execute(f"{LISTED} WHERE t.name = %s AND t.revoked_at IS NULL".encode(), (name,)).fetchone()
    return ListedToken(*row) if row else None


def find_institution_name(conn: Connection, id_: int) -> str | None:
    """Return the name of an institution; None if the register does not have it."""
    row = conn.execute("SELECT name FROM institutions WHERE id = %s", (id_,)).fetchone()
    return row[0] if row else None


def revoke(conn: Connection, id_: int) -> bool:
    """Revoke a token. Return False if it was revoked before."""
    return bool(
        conn.execute(
            "UPDATE tokens SET revoked_at = now() WHERE id = %s AND revoked_at IS NULL", (id_,)
        ).rowcount
    )
