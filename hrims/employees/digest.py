"""Digests of a row, which compare two records that have the same ZanID. Input: a row. Output: a 64-bit
number. Pure.
"""

from typing import Final
from zlib import crc32

import msgspec

from hrims.employees.fields import Row

_encode = msgspec.json.Encoder().encode
_SIGN: Final = 1 << 63


def compute_digest(row: Row) -> int:
    """Return the digest of a row as a signed 64-bit integer.

    The high half holds the identity, the low half a digest of all columns.
    """
    unsigned = compute_identity(row) << 32 | crc32(_encode(row))
    return unsigned - (1 << 64) if unsigned & _SIGN else unsigned


def compute_identity(row: Row) -> int:
    """Return a 32-bit digest of the ZanID, the name (ignoring case), the birth date and payroll number."""
    name = row.name.casefold() if row.name else None
    return crc32(_encode((row.zan_id, name, row.date_of_birth, row.payroll_number)))


def extract_identity(digest: int) -> int:
    """Return the identity from a record digest."""
    return digest >> 32 & 0xFFFFFFFF
