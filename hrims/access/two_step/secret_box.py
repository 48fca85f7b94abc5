"""Encryption of the secret of an authenticator app. Input: a secret. Output: a token, and back."""

from hrims.config import Settings
from hrims.db import Connection
from hrims.vault import open_vault
from hrims.vault.columns import TWO_STEP


def encrypt(conn: Connection, settings: Settings, user_id: int, secret: str) -> bytes:
    """Return the token of the secret of a user. Copied to another user, it is refused."""
    return open_vault(conn, settings).encrypt(_purpose(user_id), secret.encode())


def decrypt(conn: Connection, settings: Settings, user_id: int, token: bytes) -> str:
    """Return the secret of a user. Raises SecretUnreadable."""
    return open_vault(conn, settings).decrypt(_purpose(user_id), token).decode()


def _purpose(user_id: int) -> str:
    return f"{TWO_STEP}:{user_id}"
