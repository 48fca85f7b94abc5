"""SQL of users and their institutions. Each function runs inside its caller's transaction."""

from datetime import datetime
from typing import NamedTuple

from hrims.db import Connection


class User(NamedTuple):
    """A row of the table ``users``."""

    id: int
    name: str
    role: str
    password_hash: str | None
    disabled: bool


def lock_users(conn: Connection) -> None:
    """Prevent other transactions from adding a user until this one ends."""
    conn.execute("LOCK TABLE users IN SHARE ROW EXCLUSIVE MODE")


def has_users(conn: Connection) -> bool:
    """Return whether there is at least one user."""
    row = conn.execute("SELECT EXISTS (SELECT FROM users)").fetchone()
    return bool(row and row[0])


def insert_user(
    conn: Connection,
    name: str,
    role: str,
    password_hash: str | None,
    *,
    all_institutions: bool = True,
    must_change: bool = False,
) -> int | None:
    """Add a user and return its id; None if the name is taken."""
    row = conn.execute(
        "INSERT INTO users (name, role, password_hash, all_institutions, must_change_password)"
        " VALUES (%s, %s, %s, %s, %s) ON CONFLICT (name) DO NOTHING RETURNING id",
        (name, role, password_hash, all_institutions, must_change),
    ).fetchone()
    return row[0] if row else None


def update_role(conn: Connection, user_id: int, role: str) -> None:
    """Save another role of a user.

    Raises psycopg.errors.CheckViolation for the last enabled administrator.
    """
    conn.execute("UPDATE users SET role = %s WHERE id = %s", (role, user_id))


def find_institutions(conn: Connection, user_id: int) -> list[int] | None:
    """Return the institutions of a user; None for all."""
    row = conn.execute("SELECT scope_of(%s)", (user_id,)).fetchone()
    return row[0] if row else None


def find_known_institutions(conn: Connection, institutions: list[int]) -> set[int]:
    """Return those of the institutions that are on the register."""
    return {id_ for (id_,) in conn.execute("SELECT id FROM institutions WHERE id = ANY(%s)", (institutions,))}


def replace_institutions(conn: Connection, user_id: int, institutions: list[int] | None) -> list[int]:
    """Give a user these institutions, or all for None. Return those that are not on the register.

    The caller rolls back if there are any.
    """
    conn.execute("DELETE FROM user_institutions WHERE user_id = %s", (user_id,))
    conn.execute("UPDATE users SET all_institutions = %s WHERE id = %s", (institutions is None, user_id))
    if institutions is None:
        return []
    rows = conn.execute(
        "INSERT INTO user_institutions (user_id, institution_id)"
        " SELECT %s, id FROM institutions WHERE id = ANY(%s) RETURNING institution_id",
        (user_id, institutions),
    )
    return sorted({*institutions} - {id_ for (id_,) in rows})


FIND_USER = "SELECT id, name, role, password_hash, disabled_at IS NOT NULL FROM users"


def find_user(conn: Connection, name: str) -> User | None:
    """Return the user with this name; None if there is none."""
    row = conn.execute(f"{FIND_USER} WHERE name = %s".encode(), (name,)).fetchone()
    return User(*row) if row else None


def lock_user(conn: Connection, name: str) -> User | None:
    """Return the user with this name, locked until the transaction ends; None if there is none."""
    row = conn.execute(f"{FIND_USER} WHERE name = %s FOR NO KEY UPDATE".encode(), (name,)).fetchone()
    return User(*row) if row else None


def find_user_by_id(conn: Connection, id_: int) -> User | None:
    """Return the user with this id, locked against changes; None if there is none."""
    row = conn.execute(f"{FIND_USER} WHERE id = %s FOR SHARE".encode(), (id_,)).fetchone()
    return User(*row) if row else None


def has_other_administrators(conn: Connection, user_id: int) -> bool:
    """Return whether another user is or was an administrator, also a disabled one."""
    row = conn.execute(
        "SELECT EXISTS (SELECT FROM users WHERE was_administrator AND id <> %s)", (user_id,)
    ).fetchone()
    return bool(row and row[0])


def has_other_enabled_administrators(conn: Connection, user_id: int) -> bool:
    """Return whether another user is an enabled administrator."""
    row = conn.execute(
        "SELECT EXISTS (SELECT FROM users WHERE role = 'administrator' AND disabled_at IS NULL AND id <> %s)",
        (user_id,),
    ).fetchone()
    return bool(row and row[0])


def count_administrators(conn: Connection) -> int:
    """Return how many administrators are enabled.

    None of them is disabled or loses the role until the transaction ends, and no other transaction counts.
    """
    conn.execute("SELECT pg_advisory_xact_lock(hashtext('hrims administrators'))")
    row = conn.execute(
        "SELECT count(*) FROM users WHERE role = 'administrator' AND disabled_at IS NULL"
    ).fetchone()
    return row[0] if row else 0


def find_oldest_administrator(conn: Connection) -> str | None:
    """Return the name of the enabled administrator who was added first; None if there is none."""
    row = conn.execute(
        "SELECT name FROM users WHERE role = 'administrator' AND disabled_at IS NULL ORDER BY id LIMIT 1"
    ).fetchone()
    return row[0] if row else None


def is_external(conn: Connection, user_id: int) -> bool:
    """Return whether a user signs in with an OpenID provider, and so has no local password."""
    row = conn.execute(
        "SELECT EXISTS (SELECT FROM openid_identities WHERE user_id = %s)", (user_id,)
    ).fetchone()
    return bool(row and row[0])


def lock_if_unchanged(conn: Connection, user: User) -> bool:
    """Lock a user. Return whether the user is still enabled and the password unchanged since it was read.

    The lock keeps both as they are until the transaction ends.
    """
    row = conn.execute(
        "SELECT FROM users WHERE id = %s AND password_hash = %s AND disabled_at IS NULL FOR SHARE",
        (user.id, user.password_hash),
    ).fetchone()
    return row is not None


def update_password(conn: Connection, user_id: int, password_hash: str, *, must_change: bool = False) -> None:
    """Save another password hash of a user, and whether the user must change the password first."""
    conn.execute(
        "UPDATE users SET password_hash = %s, must_change_password = %s WHERE id = %s",
        (password_hash, must_change, user_id),
    )


def lock_enabled_user(conn: Connection, id_: int) -> tuple[int, str, list[int] | None] | None:
    """Lock an enabled user until the transaction ends. Return id, name and institutions, None for all.

    Return None if there is no such user.
    """
    row = conn.execute(
        "SELECT id, name, scope_of(id) FROM users WHERE id = %s AND disabled_at IS NULL FOR SHARE", (id_,)
    ).fetchone()
    return (row[0], row[1], row[2]) if row else None


def disable_user(conn: Connection, user_id: int) -> bool:
    """Disable a user. Return False if the user was disabled already.

    Raises psycopg.errors.CheckViolation for the last enabled administrator.
    """
    return bool(
        conn.execute(
            "UPDATE users SET disabled_at = now() WHERE id = %s AND disabled_at IS NULL", (user_id,)
        ).rowcount
    )


def enable_user(conn: Connection, user_id: int) -> bool:
    """Enable a user. Return False if the user was enabled already."""
    return bool(
        conn.execute(
            "UPDATE users SET disabled_at = NULL WHERE id = %s AND disabled_at IS NOT NULL", (user_id,)
        ).rowcount
    )


class ListedUser(NamedTuple):
    """A user in a list. ``institutions`` is None for all."""

    id: int
    name: str
    role: str
    institutions: list[str] | None
    created_at: datetime
    signed_in_at: datetime | None
    disabled_at: datetime | None


def list_users(conn: Connection) -> list[ListedUser]:
    """Return all users ordered by name, with their last sign-in."""
    rows = conn.execute(
        """
        SELECT u.id, u.name, u.role, CASE WHEN NOT u.all_institutions THEN array(
                   SELECT i.name FROM user_institutions ui JOIN institutions i ON i.id = ui.institution_id
                   WHERE ui.user_id = u.id ORDER BY i.name_key) END,
               u.created_at, a.at, u.disabled_at
        FROM users u
        LEFT JOIN LATERAL (
            SELECT at FROM audit_log WHERE subject = 'user:' || u.name AND action = 'session.sign_in'
            ORDER BY id DESC LIMIT 1
        ) a ON true
        ORDER BY u.name
        """
    )
    return [ListedUser(*row) for row in rows]


class UserView(NamedTuple):
    """A user as its page shows it. ``institution_ids`` is None for all."""

    id: int
    name: str
    role: str
    institution_ids: list[int] | None
    disabled_at: datetime | None


def find_view(conn: Connection, id_: int) -> UserView | None:
    """Return the user with this id; None if there is none."""
    row = conn.execute(
        "SELECT id, name, role, scope_of(id), disabled_at FROM users WHERE id = %s", (id_,)
    ).fetchone()
    return UserView(*row) if row else None
