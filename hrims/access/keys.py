"""Secrets that all web processes of one database share. They are created once and read at start.

The database stores them, encrypted by ``hrims.vault``. The key of the digests of rejects is stored there in
clear: migrations/0009_rejects_drift.sql creates it, and it never leaves the database (decision 0032).
"""

import secrets

from hrims.access import store
from hrims.config import Settings
from hrims.db import Connection
from hrims.vault import open_vault
from hrims.vault.columns import DEVICE_KEY, FORM_KEY, NAME_KEY


def secret_key(conn: Connection, settings: Settings) -> str:
    """Return the key that signs forms. Processes that start at the same time get the same key.

    Raises SecretUnreadable if this process lacks the key that encrypted it.
    """
    return _ensure_key(conn, settings, "secret_key", FORM_KEY)


def name_key(conn: Connection, settings: Settings) -> bytes:
    """Return the key of the hashes of names that were typed at a sign-in. Raises as ``secret_key`` does."""
    return _ensure_key(conn, settings, "sign_in_names", NAME_KEY).encode()


def device_key(conn: Connection, settings: Settings) -> bytes:
    """Return the key that signs the cookies of known devices. Raises as ``secret_key`` does."""
    return _ensure_key(conn, settings, "devices", DEVICE_KEY).encode()


def _ensure_key(conn: Connection, settings: Settings, name: str, purpose: str) -> str:
    vault = open_vault(conn, settings)
    default = vault.encrypt(purpose, secrets.token_urlsafe(48).encode())
    stored = store.ensure_secret(conn, name, default.decode())
    return vault.decrypt(purpose, stored.encode()).decode()


def instance_id(conn: Connection) -> str:
    """Return eight characters that distinguish this database from others. They are not secret.

    The names of cookies contain them. Browsers ignore the port, so two instances on one host would otherwise
    sign each other's users out.
    """
    return store.ensure_secret(conn, "instance", secrets.token_hex(16))[:8]
