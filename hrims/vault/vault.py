"""Encrypts secrets for the database. Input: a secret and its purpose. Output: a token of Fernet, and back.

The purpose is part of what is encrypted. A token that was copied to another place is refused there.
"""

from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from hrims.config import Settings
from hrims.vault.errors import SecretUnreadable
from hrims.vault.keys import VARIABLE, KeySource

PREFIX: Final = b"gAAAAA"
"""The first bytes of every token: its version, and the first bytes of its time."""

MIN_LENGTH: Final = 100
"""The least length of a token."""

SEPARATOR: Final = b"\0"
"""Between the purpose and the secret."""

SHARE = (
    f"Give every machine the same {VARIABLE}, or the file of the machine that encrypted it. "
    "Nothing was changed."
)

OTHER_PURPOSE = "A stored secret belongs to another purpose or address than the one that uses it."


class Vault:
    """The keys of one process. It reads them at each use, because their file may change."""

    def __init__(self, settings: Settings) -> None:
        self.source = KeySource(settings)

    def __repr__(self) -> str:
        return f"Vault({self.source})"

    def encrypt(self, purpose: str, secret: bytes) -> bytes:
        """Return the token of a secret. Raises SecretUnreadable if there is no key."""
        return self._fernet().encrypt(purpose.encode() + SEPARATOR + secret)

    def decrypt(self, purpose: str, token: bytes) -> bytes:
        """Return the secret of a token.

        Raises SecretUnreadable if no key decrypts it, or if it was encrypted for another purpose.
        """
        encrypted_for, _, secret = self._open(token).partition(SEPARATOR)
        if encrypted_for != purpose.encode():
            raise SecretUnreadable(OTHER_PURPOSE)
        return secret

    def rotate(self, token: bytes) -> bytes | None:
        """Return the token encrypted with the first key; None if it is. Raises SecretUnreadable."""
        if self.is_current(token):
            return None
        opened = self._open(token)
        return Fernet(self.source.keys()[0]).encrypt(opened)

    def is_current(self, token: bytes) -> bool:
        """Return whether the first key decrypts the token."""
        keys = self.source.keys()
        try:
            Fernet(keys[0] if keys else b"").decrypt(token)
        except (InvalidToken, ValueError):
            return False
        return True

    def can_read(self, token: bytes) -> bool:
        """Return whether a key decrypts the token."""
        try:
            self._open(token)
        except SecretUnreadable:
            return False
        return True

    def _open(self, token: bytes) -> bytes:
        try:
            return self._fernet().decrypt(token)
        except InvalidToken:
            message = f"A stored secret cannot be decrypted with the key in {self.source}. {SHARE}"
        # Raise it outside the handler: its context would show the token.
        raise SecretUnreadable(message)

    def _fernet(self) -> MultiFernet:
        keys = self.source.keys()
        if not keys:
            raise SecretUnreadable(
                f"Stored secrets are encrypted, and this process has no key: {VARIABLE} is not set, and "
                f"there is no {self.source}. {SHARE}"
            )
        return MultiFernet([Fernet(key) for key in keys])


def is_encrypted(value: bytes) -> bool:
    """Return whether a stored value is a token, and not a secret that an earlier version left in clear."""
    return value.startswith(PREFIX) and len(value) >= MIN_LENGTH
