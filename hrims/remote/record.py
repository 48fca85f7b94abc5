"""One record: its bytes come in, an employee or why it is none goes out; whatever they hold, no error."""

import re
from typing import Final

import msgspec

from hrims.remote import kept, loose, scan
from hrims.remote.records import Person, Unreadable

_person = msgspec.json.Decoder(Person)


def decode(raw: bytes) -> Person | Unreadable:
    """Return the employee that ``raw`` holds. A field that is not kept may hold anything; a kept one that is
    wrong makes the record Unreadable.
    """
    try:
        return _person.decode(raw)
    except (ValueError, RecursionError):
        pass
    reason = _why_not(raw)
    return reason if isinstance(reason, Person) else Unreadable(*reason, *loose.whose(raw))


def _why_not(raw: bytes) -> Person | tuple[str, str | None]:
    """Return why the kept fields cannot be read, and where; the employee if only other fields are wrong."""
    try:
        return _person.decode(kept.only_kept(raw))
    except msgspec.ValidationError as reason:
        return told(reason)
    except kept.NotJson as reason:
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


def told(reason: msgspec.ValidationError) -> tuple[str, str | None]:
    """Return a wrong type in words, and the path to it; neither ever holds a value."""
    text, _, where = str(reason).partition(" - at `$")
    path = where.strip("`.") or None
    if kinds := re.fullmatch(r"Expected `([\w |]+?)(?: \| null)?`, got `(\w+)`", text):
        wanted, got = (_KINDS.get(kind, kind) for kind in kinds.groups())
        return f"{wanted} expected, {got} found", path
    if missing := re.fullmatch(r"Object missing required field `(\w+)`", text):
        return f"{missing[1]} is missing", path
    return "a value that is out of range", path
