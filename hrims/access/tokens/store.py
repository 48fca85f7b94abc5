"""Tokens of machines, in SQL. Each function works inside its caller's transaction."""

from datetime import datetime
from typing import NamedTuple

from hrims.db import Connection

VALID = """
t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > now())
AND (t.owner_id IS NULL OR EXISTS (SELECT FROM users u WHERE u.id = t.owner_id AND u.disabled_at IS NULL))
"""
"""When a token ``t`` signs its machine in."""


FIND = f"""
SELECT t.id, t.name, t.role, coalesce(t.last_used_at < now() - interval '1 minute', true)
FROM tokens t WHERE t.token_hash = %s AND {VALID}
"""  # noqa: S608 - a constant


class ListedToken(NamedTuple):
    """A token as a list shows it. Its secret is not kept."""

    id: int
    name: str
    role: str
    owner: str | None
    created_at: datetime
    last_used_at: datetime | None
    expires_at: datetime | None
    revoked_at: datetime | None
    is_valid: bool


def insert(
    conn: Connection, name: str, role: str, token_hash: bytes, owner_id: int | None, days: int | None
) -> int | None:
    """Add a token that ends after so many days, or never; return its id, None if the name is taken."""
    row = conn.execute(
        "INSERT INTO tokens (name, role, token_hash, owner_id, expires_at)"
        " VALUES (%s, %s, %s, %s, now() + make_interval(days => %s))"
        " ON CONFLICT (name) WHERE revoked_at IS NULL DO NOTHING RETURNING id",
        (name, role, token_hash, owner_id, days),
    ).fetchone()
    return row[0] if row else None


def find(conn: Connection, token_hash: bytes) -> tuple[int, str, str, bool] | None:
    """Return id, name and role of a valid token, and whether its use has to be written down again."""
    return conn.execute(FIND.encode(), (token_hash,)).fetchone()


def used(conn: Connection, id_: int) -> None:
    """Write down that a token is used now, unless another request does that just now."""
    conn.execute(
        "UPDATE tokens SET last_used_at = now()"
        " WHERE id = (SELECT id FROM tokens WHERE id = %s FOR NO KEY UPDATE SKIP LOCKED)",
        (id_,),
    )


LISTED = f"""
SELECT t.id, t.name, t.role, o.name, t.created_at, t.last_used_at, t.expires_at, t.revoked_at, {VALID}
FROM tokens t LEFT JOIN users o ON o.id = t.owner_id
"""  # noqa: S608 - a constant


def tokens(conn: Connection) -> list[ListedToken]:
    """Return all tokens by name, also those that have ended."""
    return [ListedToken(*row) for row in conn.execute(f"{LISTED} ORDER BY t.name, t.id".encode())]


def by_id(conn: Connection, id_: int) -> ListedToken | None:
    """Return the token of this number."""
    row = conn.execute(f"{LISTED} WHERE t.id = %s".encode(), (id_,)).fetchone()
    return ListedToken(*row) if row else None


def by_name(conn: Connection, name: str) -> ListedToken | None:
    """Return the token of this name that was not revoked."""
    row = conn.execute(f"{LISTED} WHERE t.name = %s AND t.revoked_at IS NULL".encode(), (name,)).fetchone()
    return ListedToken(*row) if row else None


def revoke(conn: Connection, id_: int) -> bool:
    """Revoke a token; False if that was done before."""
    return bool(
        conn.execute(
            "UPDATE tokens SET revoked_at = now() WHERE id = %s AND revoked_at IS NULL", (id_,)
        ).rowcount
    )
