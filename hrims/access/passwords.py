"""Passwords: one comes in, its argon2 hash goes out, or whether it matches one. No database."""

import functools
import secrets
import threading
import unicodedata

import argon2

from hrims.errors import InvalidInput

SHORTEST, LONGEST = 10, 256

AT_ONCE = threading.BoundedSemaphore(4)
"""Each check takes 64 MB for an instant; more of them at once could take a small machine down."""

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""What a generated password is made of: nothing that looks like something else."""

_hasher = argon2.PasswordHasher()


def check(password: str) -> None:
    """Raises InvalidInput unless the password may be used."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise InvalidInput(
            f"A password has {SHORTEST} to {LONGEST} characters. Nothing was changed.", "bad_password"
        )


def hash_of(password: str) -> str:
    """What is kept of a password. Raises InvalidInput unless it may be used."""
    check(password)
    with AT_ONCE:
        return _hasher.hash(_bytes(password))


def matches(password: str, kept: str | None) -> bool:
    """Whether this is the password. Takes as long when there is none to compare it with."""
    with AT_ONCE:
        try:
            _hasher.verify(kept or _of_nobody(), _bytes(password))
        except argon2.exceptions.VerifyMismatchError:
            return False
    return kept is not None


def generated() -> str:
    """A password that can be read aloud: 16 letters and digits in groups of four, 79 bits."""
    return "-".join("".join(secrets.choice(LETTERS) for _ in range(4)) for _ in range(4))


@functools.cache
def _of_nobody() -> str:
    return _hasher.hash(secrets.token_bytes(16))


def _bytes(password: str) -> bytes:
    # The same letter can be typed as one sign or as two, depending on the keyboard.
    return unicodedata.normalize("NFKC", password).encode("utf-8", "surrogatepass")
