"""Digests of a row, by which two records with one ZanID are compared: a row in, a 64-bit number out. Pure."""

from typing import Final
from zlib import crc32

import msgspec

from hrims.employees.mapping import Row

_encode = msgspec.json.Encoder().encode
_SIGN: Final = 1 << 63


def record_digest(row: Row) -> int:
    """Return the digest of a row as a signed 64-bit integer: the identity in the high half, all columns in
    the low half.
    """
    unsigned = identity(row) << 32 | crc32(_encode(row))
    return unsigned - (1 << 64) if unsigned & _SIGN else unsigned


def identity(row: Row) -> int:
    """Return a 32-bit digest of who it is: ZanID, name (whatever the case), birth date and payroll number."""
    name = row.name.casefold() if row.name else None
    return crc32(_encode((row.zan_id, name, row.date_of_birth, row.payroll_number)))


def identity_of(digest: int) -> int:
    """Return the identity that a record digest holds."""
    return digest >> 32 & 0xFFFFFFFF
