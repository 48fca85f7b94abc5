"""Names that are typed at a sign-in. Input: a typed name. Output: its keyed hash, and the subject of records.

A password may be typed as the name, so an unknown name is stored nowhere, only its hash.
"""

import hashlib
import hmac

from hrims.access import keys
from hrims.access.users import normalize_name
from hrims.config import Settings
from hrims.db import Connection

ANONYMOUS = "(not signed in)"
"""The actor of a request without a valid sign-in. The name that was typed at a failed one proves nothing."""

SHOWN_HASH = 16
"""Hexadecimal digits of a hash that an audit record shows: enough to see that two names are the same."""


def hash_name(conn: Connection, settings: Settings, name: str) -> bytes:
    """Return the keyed hash of a name."""
    typed = normalize_name(name).encode("utf-8", "surrogatepass")
    return hmac.digest(keys.name_key(conn, settings), typed, hashlib.sha256)


def unknown_subject(name_hash: bytes) -> str:
    """Return the subject of an audit record for a name that no user has."""
    return f"unknown:{name_hash.hex()[:SHOWN_HASH]}"
