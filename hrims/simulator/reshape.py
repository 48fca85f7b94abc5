"""Responses with a changed shape, as after an upgrade of HRIMS.

Input: the records of a page. Output: the same records with fields renamed, missing, new or emptied.
"""

import json
import zlib
from typing import Any

from hrims.simulator.behaviour import Behaviour

Record = dict[str, Any]


def reshape_records(now: Behaviour, records: list[bytes]) -> list[bytes]:
    """Return the records in the shape of this behaviour, or unchanged if it changes no shape."""
    if not (now.renamed_fields or now.missing_fields or now.new_fields or now.emptied_fields):
        return records
    return [_reshape(now, record) for record in records]


def _reshape(now: Behaviour, encoded: bytes) -> bytes:
    record = json.loads(encoded)
    # The same person has or lacks a value in every response.
    rng = zlib.crc32(encoded) / 2**32
    emptied = {path: None for path, share in now.emptied_fields.items() if rng < share}
    _set(record, emptied, only_there=True)
    _set(record, now.new_fields, only_there=False)
    for path in now.missing_fields:
        for holder, name in _holders(record, path):
            holder.pop(name, None)
    for path, other in now.renamed_fields.items():
        for holder, name in _holders(record, path):
            if name in holder:
                holder[other] = holder.pop(name)
    return json.dumps(record).encode()


def _set(record: Record, values: dict[str, Any], *, only_there: bool) -> None:
    for path, value in values.items():
        for holder, name in _holders(record, path):
            if name in holder or not only_there:
                holder[name] = value


def _holders(record: Record, path: str) -> list[tuple[Record, str]]:
    """Return the objects that contain the last name of ``part.field`` or ``field``.

    For a list, these are all its entries.
    """
    part, dot, name = path.partition(".")
    if not dot:
        return [(record, part)]
    held = record.get(part)
    entries = held if isinstance(held, list) else [held]
    return [(entry, name) for entry in entries if isinstance(entry, dict)]
