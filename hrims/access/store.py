"""SQL that several packages of ``access`` use: the end of tokens, shared secrets, deletion of old rows.

Each function runs inside its caller's transaction.
"""

from typing import Final

from hrims.db import Connection

MAX_DELETED: Final = 1000
"""Maximum number of old rows that one call deletes, so that no sign-in waits for a large clean-up."""

# Tokens


def revoke_tokens_of(conn: Connection, user_id: int) -> int:
    """Revoke the tokens of a user. Return how many."""
    return conn.execute(
        "UPDATE tokens SET revoked_at = now() WHERE user_id = %s AND revoked_at IS NULL", (user_id,)
    ).rowcount


# Shared secrets


def ensure_secret(conn: Connection, name: str, default: str) -> str:
    """Return the secret with this name. Save ``default`` if there is none. All callers get the same value."""
    conn.execute(
        "INSERT INTO app_secrets (name, value) VALUES (%s, %s) ON CONFLICT DO NOTHING", (name, default)
    )
    row = conn.execute("SELECT value FROM app_secrets WHERE name = %s", (name,)).fetchone()
    assert row is not None
    return str(row[0])
