"""The format of the audit chain. Input: the columns of a record as text. Output: its digest and its hash.

The function ``audit_text`` in migrations/0018_audit.sql writes the same text. docs/reference/audit.md states
the format for others.
"""

import hashlib
from collections.abc import Sequence
from typing import Final

FORMAT: Final = b"hrims-audit-1\n"
"""The first line of the text of each record."""

FIRST_HASH: Final = hashlib.sha256(b"hrims-audit-1").digest()
"""The hash before the first record."""

FIELDS: Final = (
    "id",
    "at",
    "user_id",
    "actor",
    "role",
    "via",
    "token_id",
    "address",
    "user_agent",
    "request_id",
    "run_id",
    "institution_id",
    "action",
    "subject",
    "before",
    "after",
    "reason",
    "details",
)
"""The columns of a record, in the order of its text."""

_PREFIXES: Final = tuple(f"{name}:".encode() for name in FIELDS)


def digest_of(values: Sequence[str | None]) -> bytes:
    """Return the SHA-256 of a record. ``values`` are those of FIELDS as text, None for NULL."""
    parts = [FORMAT]
    for prefix, value in zip(_PREFIXES, values, strict=True):
        if value is not None:
            data = value.encode()
            parts += (prefix, b"%d:" % len(data), data, b"\n")
    return hashlib.sha256(b"".join(parts)).digest()


def link(previous: bytes, digest: bytes) -> bytes:
    """Return the hash of a place in the chain: it covers the hash before it and the digest of its record."""
    return hashlib.sha256(previous + digest).digest()
