"""What all web processes of one database share: made once, kept in it, read at start.

The key of rejects' digests is kept beside these; it is made by migration 0010 and never leaves the database.
"""

import secrets

from hrims.access import store
from hrims.db import Connection


def secret_key(conn: Connection) -> str:
    """The key that signs forms. Processes that start at once get the same one."""
    return store.secret(conn, "secret_key", secrets.token_urlsafe(48))


def instance(conn: Connection) -> str:
    """Eight letters that tell this database from others. They are no secret.

    Cookies carry them in their names: browsers do not tell ports apart, so that two instances on one
    host would sign one another out.
    """
    return store.secret(conn, "instance", secrets.token_hex(16))[:8]
