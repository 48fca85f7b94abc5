"""SQL of the identities of users at an OpenID provider. Each function runs in its caller's transaction."""

from collections.abc import Sequence

from hrims.db import Connection

IDENTITY = 0x4F494443  # "OIDC": namespace of the advisory lock of an identity


def lock_identity(conn: Connection, issuer: str, subject: str) -> None:
    """Block other sign-ins of this identity until the transaction ends."""
    conn.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (IDENTITY, f"{issuer}\n{subject}"))


def find_name(conn: Connection, issuer: str, subject: str) -> str | None:
    """Return the name of the user with this identity; None if there is none."""
    row = conn.execute(
        "SELECT u.name FROM openid_identities o JOIN users u ON u.id = o.user_id"
        " WHERE o.issuer = %s AND o.subject = %s",
        (issuer, subject),
    ).fetchone()
    return row[0] if row else None


def insert_identity(conn: Connection, issuer: str, subject: str, user_id: int) -> None:
    """Save the identity of a user."""
    conn.execute(
        "INSERT INTO openid_identities (issuer, subject, user_id) VALUES (%s, %s, %s)",
        (issuer, subject, user_id),
    )


def find_institution_ids(conn: Connection, codes: Sequence[str]) -> list[int]:
    """Return the institutions with these vote codes or TINs. Unknown codes are left out."""
    rows = conn.execute(
        "SELECT id FROM institutions WHERE vote_code = ANY(%(codes)s) OR tin = ANY(%(codes)s) ORDER BY id",
        {"codes": list(codes)},
    )
    return [id_ for (id_,) in rows]
