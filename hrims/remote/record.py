"""Decodes one record. Input: its bytes. Output: an employee, or the reason why it is not one. No content of
the bytes raises an error.
"""

import re
from typing import Final

import msgspec

from hrims.remote import field_filter, lenient_types, scan
from hrims.remote.records import Person, Unreadable

_person = msgspec.json.Decoder(Person)


def decode(raw: bytes) -> Person | Unreadable:
    """Return the employee in ``raw``.

    A field that is not saved may contain anything. A wrong value in a saved field makes the record
    Unreadable.
    """
    try:
        return _person.decode(raw)
    except (ValueError, RecursionError):
        pass
    reason = _decode_leniently(raw)
    return reason if isinstance(reason, Person) else Unreadable(*reason, *lenient_types.find_owner(raw))


def _decode_leniently(raw: bytes) -> Person | tuple[str, str | None]:
    """Return why the saved fields cannot be decoded, and the path.

    Return the employee if only other fields are wrong.
    """
    try:
        return _person.decode(field_filter.strip_unused_fields(raw))
    except msgspec.ValidationError as reason:
        return format_validation_error(reason)
    except field_filter.NotJson as reason:
        return reason.reason, reason.path or None
    except (scan.Malformed, msgspec.DecodeError, UnicodeDecodeError):
        return "it is not JSON", None


_KINDS: Final = {
    "str": "text",
    "bool": "true or false",
    "int": "a number",
    "int | float | str": "a number",
    "float": "a number",
    "object": "an object",
    "array": "a list",
    "null": "null",
}


def format_validation_error(reason: msgspec.ValidationError) -> tuple[str, str | None]:
    """Return a message about a wrong type, and its path. Neither ever contains a value."""
    text, _, where = str(reason).partition(" - at `$")
    path = where.strip("`.") or None
    if kinds := re.fullmatch(r"Expected `([\w |]+?)(?: \| null)?`, got `(\w+)`", text):
        wanted, got = (_KINDS.get(kind, kind) for kind in kinds.groups())
        return f"{wanted} expected, {got} found", path
    if missing := re.fullmatch(r"Object missing required field `(\w+)`", text):
        return f"{missing[1]} is missing", path
    return "a value that is out of range", path
