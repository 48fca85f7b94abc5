"""Encryption of the secrets of authenticator apps. Input: bytes. Output: encrypted bytes, and back."""

import base64

from cryptography.fernet import Fernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from hrims.access import keys
from hrims.db import Connection

PURPOSE = b"hrims two-step sign-in"
"""Separates this key from others that are derived from the same secret."""


def encrypt(conn: Connection, plain: bytes) -> bytes:
    """Return the encrypted bytes."""
    return _fernet(conn).encrypt(plain)


def decrypt(conn: Connection, encrypted: bytes) -> bytes:
    """Return the bytes. Raises cryptography.fernet.InvalidToken if they were encrypted with another key."""
    return _fernet(conn).decrypt(encrypted)


def _fernet(conn: Connection) -> Fernet:
    key = HKDF(SHA256(), 32, salt=None, info=PURPOSE).derive(keys.secret_key(conn).encode())
    return Fernet(base64.urlsafe_b64encode(key))
