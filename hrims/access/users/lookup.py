"""Finds users. Input: a name or an id. Output: the user, or the user as an actor."""

from hrims.access.actor import Actor
from hrims.access.scope import Scope
from hrims.access.users import store
from hrims.access.users.names import NAME, normalize_name
from hrims.access.users.store import User
from hrims.db import Connection
from hrims.errors import NotFound


def get(conn: Connection, name: str) -> User:
    """Return the user with this name, locked until the transaction ends. Raises NotFound."""
    name = normalize_name(name)
    user = store.lock_user(conn, name) if NAME.fullmatch(name) else None
    if not user:
        raise NotFound("There is no user of this name. Nothing was changed.", "unknown_user")
    return user


def identify(conn: Connection, name: str, via: str) -> Actor:
    """Return the enabled user with this name as an actor. Raises NotFound if there is none."""
    user = find(conn, name)
    if user is None or user.disabled:
        raise NotFound("There is no user of this name who may act. Nothing was changed.", "unknown_user")
    return _to_actor(conn, user, via)


def identify_owner(conn: Connection, user_id: int, name: str, via: str) -> Actor | None:
    """Return what acts for an enabled user, like a schedule, as an actor called ``name``.

    None if disabled.
    """
    user = store.find_user_by_id(conn, user_id)
    return None if user is None or user.disabled else _to_actor(conn, user, via)._replace(name=name)


def _to_actor(conn: Connection, user: User, via: str) -> Actor:
    institutions = store.find_institutions(conn, user.id)
    scope = Scope(None if institutions is None else tuple(institutions), user.id)
    return Actor(user.name, via, user_id=user.id, role=user.role, scope=scope)


def default_user(conn: Connection, login: str) -> str | None:
    """Return the user that commands act as: the enabled ``login``, else the oldest administrator."""
    user = find(conn, login)
    return user.name if user and not user.disabled else store.find_oldest_administrator(conn)


def find(conn: Connection, name: str) -> User | None:
    """Return the user with this name, in any letter case; None if there is none."""
    name = normalize_name(name)
    return store.find_user(conn, name) if NAME.fullmatch(name) else None
