"""Actions on set-up links: create, find, use."""

import secrets

from hrims.access import devices, passwords, sessions
from hrims.access.actor import Actor
from hrims.access.audit import record
from hrims.access.setup_links import store
from hrims.access.sign_in import Visit, actor_of, to_actor
from hrims.access.token_hash import hash_token
from hrims.access.users import EXTERNAL
from hrims.access.users.store import find_user, is_external, update_password
from hrims.db import Connection
from hrims.errors import Conflict, NotFound

HOURS = 72
"""Hours for which a link works."""


def create_setup_link(conn: Connection, actor: Actor, user_id: int) -> str:
    """Create a link for a user and return its token, which is not stored. Earlier links of the user end.

    The page of the link is ``/set-up/<token>``. Raises NotFound if the user may not sign in, Conflict if the
    user is one of the OpenID provider.
    """
    token = secrets.token_urlsafe(32)
    with conn.transaction():
        name = store.lock_enabled_user(conn, user_id)
        if name is None:
            raise NotFound("There is no such user who may sign in. No link was made.", "unknown_user")
        if is_external(conn, user_id):
            raise Conflict(f"{name} {EXTERNAL} No link was made.", "external_user")
        store.delete_links_of(conn, user_id)
        store.insert_link(conn, hash_token(token), user_id, HOURS)
        record(conn, actor, "user.create_setup_link", f"user:{name}", hours=HOURS)
    return token


def find_name(conn: Connection, token: str) -> str:
    """Return the name of the user of a link. Raises NotFound if it was used, has expired or never existed."""
    name = store.find_name(conn, hash_token(token))
    if name is None:
        raise _no_link()
    return name


def use(conn: Connection, token: str, password: str, visit: Visit) -> str:
    """Set the password of the user of a link, which then works no more. Return the name of the user.

    The sessions of the user end. Raises InvalidInput if the password is not allowed; the link still works
    then. Raises NotFound as ``find_name`` does.
    """
    name = find_name(conn, token)
    password_hash = passwords.hash_password(password, name)
    with conn.transaction():
        user_id = store.take_link(conn, hash_token(token))
        if user_id is None:
            raise _no_link()
        # A trigger deletes the user's other links.
        update_password(conn, user_id, password_hash)
        devices.forget(conn, user_id)
        ended = sessions.end_all(conn, user_id)
        user = find_user(conn, name)
        actor = to_actor(user, visit) if user else actor_of(visit)
        record(conn, actor, "user.set_up", f"user:{name}", sessions_ended=ended)
    return name


def _no_link() -> NotFound:
    return NotFound(
        "This link was used, or has expired. Nothing was changed. Ask an administrator for another one.",
        "unknown_setup_link",
    )
