"""Users and machines of tests, by the product's own functions.

The template of the tests' databases has the users of CAST, so that a test has actors without asking for them.
"""

from typing import Final

import psycopg

from hrims.access import passwords, tokens, users
from hrims.access.actor import Actor, system
from hrims.access.permissions import MANAGE_SCOPE, Permission
from hrims.access.scope import Scope
from hrims.access.users import store
from hrims.db import Connection
from hrims.migrate import migrate

PASSWORD: Final = "a wet monsoon"
PASSWORD_HASH: Final = passwords.hash_password(PASSWORD, "asha")
"""Hashed once: a hash is slow on purpose."""

ADDRESS: Final = "127.0.0.1"

CAST: Final = (("asha", "officer"), ("juma", "supervisor"), ("omar", "officer"), ("binti", "administrator"))
"""The users of the template, with the ids 1 to 4. All have all institutions."""


def _cast(name: str, via: str = "page") -> Actor:
    id_, role = next((id_, role) for id_, (known, role) in enumerate(CAST, 1) if known == name)
    return Actor(name, via, ADDRESS, user_id=id_, role=role, scope=Scope(None, id_))


ASHA: Final = _cast("asha")
JUMA: Final = _cast("juma")
OMAR: Final = _cast("omar", "api")
BINTI: Final = _cast("binti")


def add_cast(conn: Connection) -> None:
    """Add the users of CAST to a database without users."""
    for name, role in CAST:
        add_user(conn, name, role)


def migrate_with_cast(dsn: str) -> None:
    """Migrate a new database and add the users of CAST."""
    migrate(dsn)
    with psycopg.connect(dsn, autocommit=True) as conn:
        add_cast(conn)


def add_user(
    conn: Connection, name: str, role: str = "officer", institutions: list[int] | None = None
) -> int:
    """Add a user whose password is PASSWORD, or give a known one this role and these institutions.

    Return the id.
    """
    user = users.find(conn, name)
    with conn.transaction():
        id_ = user.id if user else store.insert_user(conn, name, role, PASSWORD_HASH)
        assert id_ is not None
        if institutions is None:
            assert store.replace_institutions(conn, id_, None) == []
        store.update_role(conn, id_, role)
        assert store.replace_institutions(conn, id_, institutions) == []
    return id_


def actor_of(
    conn: Connection,
    name: str,
    role: str = "officer",
    institutions: list[int] | None = None,
    *,
    via: str = "page",
) -> Actor:
    """Return a user with this role and these institutions as an actor; add the user if there is none."""
    add_user(conn, name, role, institutions)
    return users.identify(conn, name, via)._replace(address=ADDRESS)


def add_machine(
    conn: Connection,
    name: str = "nightly",
    role: str = "officer",
    *,
    scope: str = MANAGE_SCOPE,
    institutions: list[int] | None = None,
) -> str:
    """Add a token of a user who has this role, and return it. Its user makes it, if the role may."""
    owner = actor_of(conn, f"owner.of.{name.lower()}", role, institutions)
    maker = owner if owner.can(Permission.OWN_TOKENS) else system("operator")
    return tokens.add_token(conn, maker, name, scope, user=owner.name)
