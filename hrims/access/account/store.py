"""SQL of users' own accounts. Each function runs inside its caller's transaction."""

from hrims.access.users.store import User
from hrims.db import Connection


def replace_password(conn: Connection, user: User, password_hash: str) -> bool:
    """Save another password hash. Return False if the password was changed or the user disabled meanwhile."""
    return bool(
        conn.execute(
            "UPDATE users SET password_hash = %s, must_change_password = false"
            " WHERE id = %s AND password_hash = %s AND disabled_at IS NULL",
            (password_hash, user.id, user.password_hash),
        ).rowcount
    )
