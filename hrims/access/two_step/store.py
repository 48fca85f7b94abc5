"""SQL of two-step sign-in. Each function runs inside its caller's transaction."""

from collections.abc import Sequence
from datetime import datetime

from hrims.db import Connection


def lock_user(conn: Connection, user_id: int) -> None:
    """Block other changes of this user until the transaction ends."""
    conn.execute("SELECT FROM users WHERE id = %s FOR NO KEY UPDATE", (user_id,))


def read_status(conn: Connection, user_id: int) -> tuple[datetime | None, int]:
    """Return since when two-step sign-in is on, or None, and how many recovery codes are left."""
    row = conn.execute(
        "SELECT (SELECT confirmed_at FROM two_step WHERE user_id = %(user)s),"
        " (SELECT count(*) FROM recovery_codes WHERE user_id = %(user)s)",
        {"user": user_id},
    ).fetchone()
    assert row is not None
    return row[0], row[1]


def insert_secret(conn: Connection, user_id: int, secret: bytes) -> None:
    """Save the secret of a user unless there is one."""
    conn.execute(
        "INSERT INTO two_step (user_id, secret) VALUES (%s, %s) ON CONFLICT (user_id) DO NOTHING",
        (user_id, secret),
    )


def find_secret(conn: Connection, user_id: int) -> bytes | None:
    """Return the encrypted secret of a user; None if there is none."""
    row = conn.execute("SELECT secret FROM two_step WHERE user_id = %s", (user_id,)).fetchone()
    return bytes(row[0]) if row else None


def confirm(conn: Connection, user_id: int, step: int) -> None:
    """Turn two-step sign-in on. ``step`` is that of the first code, which is not accepted again."""
    conn.execute(
        "UPDATE two_step SET confirmed_at = now(), last_step = %s WHERE user_id = %s", (step, user_id)
    )


def take_step(conn: Connection, user_id: int, step: int) -> bool:
    """Save the step of an accepted code. Return False if a code of this step or a later one was accepted."""
    return bool(
        conn.execute(
            "UPDATE two_step SET last_step = %(step)s"
            " WHERE user_id = %(user)s AND last_step < %(step)s AND confirmed_at IS NOT NULL",
            {"user": user_id, "step": step},
        ).rowcount
    )


def replace_recovery_codes(conn: Connection, user_id: int, hashes: Sequence[bytes]) -> None:
    """Save these recovery codes of a user and delete the earlier ones."""
    conn.execute("DELETE FROM recovery_codes WHERE user_id = %s", (user_id,))
    conn.execute(
        "INSERT INTO recovery_codes (user_id, code_hash) SELECT %s, unnest(%s::bytea[])",
        (user_id, list(hashes)),
    )


def take_recovery_code(conn: Connection, user_id: int, code_hash: bytes) -> bool:
    """Delete a recovery code. Return False if there is none."""
    return bool(
        conn.execute(
            "DELETE FROM recovery_codes WHERE user_id = %s AND code_hash = %s", (user_id, code_hash)
        ).rowcount
    )


def delete(conn: Connection, user_id: int) -> bool:
    """Delete the secret and the recovery codes of a user. Return False if two-step sign-in was off."""
    conn.execute("DELETE FROM recovery_codes WHERE user_id = %s", (user_id,))
    row = conn.execute(
        "DELETE FROM two_step WHERE user_id = %s RETURNING confirmed_at IS NOT NULL", (user_id,)
    ).fetchone()
    return bool(row and row[0])
