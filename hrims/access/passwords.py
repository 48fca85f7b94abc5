"""Hashing of passwords with argon2, without the database.

Input: a password. Output: its hash, or whether it matches a hash. ``password_rules`` refuses weak ones.
"""

import functools
import secrets
import threading
import unicodedata

import argon2

from hrims.access import password_rules

CONCURRENT_CHECKS = threading.BoundedSemaphore(4)
"""Limits concurrent checks: each takes 64 MB for an instant, and too many could crash a small machine."""

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""The characters of a generated password or recovery code. None can be mistaken for another."""

_hasher = argon2.PasswordHasher()


def hash_password(password: str, name: str) -> str:
    """Return the hash of a new password of the user with this name.

    Every place that sets a password uses it. Raises InvalidInput if the password is not allowed.
    """
    password_rules.check(password, name)
    with CONCURRENT_CHECKS:
        return _hasher.hash(_bytes(password))


def matches(password: str, password_hash: str | None) -> bool:
    """Return whether the password matches the hash. Take equally long if there is no hash."""
    with CONCURRENT_CHECKS:
        try:
            _hasher.verify(password_hash or _dummy_hash(), _bytes(password))
        except argon2.exceptions.VerifyMismatchError:
            return False
    return password_hash is not None


def generate() -> str:
    """Return a new password or recovery code that can be read aloud: 16 letters and digits, 79 bits."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(4))


@functools.cache
def _dummy_hash() -> str:
    return _hasher.hash(secrets.token_bytes(16))


def _bytes(password: str) -> bytes:
    # Depending on the keyboard, the same letter is one code point or two.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
