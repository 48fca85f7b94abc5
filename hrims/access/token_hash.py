"""The hash of a random token, as tables store it instead of the token. Input: a token. Output: 32 bytes."""

import hashlib


def hash_token(token: str) -> bytes:
    """Return the hash of a token. A plain hash is enough: 79 or more random bits cannot be guessed."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
