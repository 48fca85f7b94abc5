"""Secrets that all web processes of one database share. They are created once and read at start.

The database stores them, encrypted by ``hrims.vault``. The key of the digests of rejects is stored there in
clear: migrations/0009_rejects_drift.sql creates it, and it never leaves the database (decision 30).
"""

import secrets

from hrims.access import store
from hrims.config import Settings
from hrims.db import Connection
from hrims.vault import open_vault
from hrims.vault.columns import FORM_KEY


def secret_key(conn: Connection, settings: Settings) -> str:
    """Return the key that signs forms. Processes that start at the same time get the same key.

    Raises SecretUnreadable if this process lacks the key that encrypted it.
    """
    vault = open_vault(conn, settings)
    default = vault.encrypt(FORM_KEY, secrets.token_urlsafe(48).encode())
    stored = store.ensure_secret(conn, "secret_key", default.decode())
    return vault.decrypt(FORM_KEY, stored.encode()).decode()


def instance_id(conn: Connection) -> str:
    """Return eight characters that distinguish this database from others. They are not secret.

    The names of cookies contain them. Browsers ignore the port, so two instances on one host would otherwise
    sign each other's users out.
    """
    return store.ensure_secret(conn, "instance", secrets.token_hex(16))[:8]


def name_key(conn: Connection) -> str:
    """Return the key of the hashes of names that were typed at a sign-in."""
    return store.ensure_secret(conn, "sign_in_names", secrets.token_urlsafe(48))


def device_key(conn: Connection) -> str:
    """Return the key that signs the cookies of known devices."""
    return store.ensure_secret(conn, "devices", secrets.token_urlsafe(48))
