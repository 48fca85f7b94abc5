"""Filters the fields of one record. Input: its bytes. Output: the same record as JSON with only the fields of
``records.Person``. The content of any other field is not read.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, get_args, get_type_hints

import msgspec

from hrims.remote import scan
from hrims.remote.records import Part, Person

MAX_ENTRIES: Final = 1000
"""Maximum entries of one list of a record; no employee had so many jobs."""

MAX_REPAIRED: Final = 65_536
"""Maximum bytes of a text that is repaired; a longer one is rejected in any case."""

_any = msgspec.json.Decoder()

_WORDS: Final = re.compile(rb"[-+]?(?:NaN|nan|Infinity|inf)|undefined|None|True|False")
"""Values of other languages that JSON does not have. Messages can safely quote them."""

_ESCAPE: Final = re.compile(
    rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(?P<half>u[dD][89a-fA-F]..)|.)", re.DOTALL
)
_CONTROL: Final = re.compile(rb"[\x00-\x1f]")


class NotJson(ValueError):
    """A saved field whose value is not JSON.

    ``reason`` contains nothing of the value; ``path`` is its path in the record.
    """

    def __init__(self, reason: str, path: str) -> None:
        super().__init__(reason)
        self.reason, self.path = reason, path


def strip_unused_fields(record: bytes) -> bytes:
    """Return the record with only the fields that are saved.

    Raises NotJson, or Malformed for a broken structure.
    """
    return _record(record, is_strict=True)


def repair_record(record: bytes) -> bytes:
    """Return the readable values of the fields that are saved. A value that cannot be read becomes null."""
    return _record(record, is_strict=False)


def scalar(value: bytes, path: str, *, is_strict: bool = True) -> bytes:
    """Return a scalar value as JSON. Of an object or a list, return only an empty one.

    Raises NotJson if ``is_strict``.
    """
    if value[:1] in (b"[", b"{"):
        return b"[]" if value[:1] == b"[" else b"{}"
    text = _repair_text(value) if value[:1] == b'"' and len(value) <= MAX_REPAIRED else value
    reason = _find_error(text)
    if reason and is_strict:
        raise NotJson(reason, path)
    return b"null" if reason else text


def _repair_text(text: bytes) -> bytes:
    """Return a text with control characters escaped.

    Lone surrogates, which no database stores, become NUL. A text with NUL makes the record a reject.
    """
    text = _CONTROL.sub(lambda found: b"\\u%04x" % found[0][0], text)
    return _ESCAPE.sub(lambda found: rb"\u0000" if found["half"] else found[0], text)


def _find_error(value: bytes) -> str | None:
    try:
        _any.decode(value)
    except UnicodeDecodeError:
        return "its text is not UTF-8"
    except ValueError:
        word = value.decode() if _WORDS.fullmatch(value) else "a value"
        return f"{word} found that JSON does not have"
    return None


def _record(record: bytes, *, is_strict: bool) -> bytes:
    if record[:1] != b"{":
        return scalar(record, "", is_strict=is_strict)
    parts = {
        name: _part(value, name, FIELDS[name], is_strict=is_strict)
        for name, value in _members(record, set(FIELDS), is_strict=is_strict)
    }
    return _object(parts)


def _part(value: bytes, path: str, names: set[str], *, is_strict: bool) -> bytes:
    """Return an object, or a list of objects, with only the fields that have these names."""
    if value[:1] == b"[":
        return b"[" + b",".join(_entries(value, path, names, is_strict=is_strict)) + b"]"
    if value[:1] != b"{":
        return scalar(value, path, is_strict=is_strict)
    fields = {
        name: scalar(field, f"{path}.{name}", is_strict=is_strict)
        for name, field in _members(value, names, is_strict=is_strict)
    }
    return _object(fields)


def _entries(value: bytes, path: str, names: set[str], *, is_strict: bool) -> Iterator[bytes]:
    for at, entry in enumerate(scan.elements(value)):
        if at == MAX_ENTRIES and is_strict:
            raise NotJson(f"more than {MAX_ENTRIES:,} entries found", path)
        if at == MAX_ENTRIES:
            return
        is_list = entry[:1] == b"["
        yield b"[]" if is_list else _part(entry, f"{path}[{at}]", names, is_strict=is_strict)


def _members(raw: bytes, names: set[str], *, is_strict: bool) -> Iterable[tuple[str, bytes]]:
    # If a name occurs twice, the last value counts, as in every JSON reader.
    found: dict[str, bytes] = {}
    try:
        found.update((name, value) for name, value in scan.members(raw) if name in names)
    except scan.Malformed:
        if is_strict:
            raise
    return found.items()


def _object(members: dict[str, bytes]) -> bytes:
    return b"{" + b",".join(b'"%b":%b' % (name.encode(), value) for name, value in members.items()) + b"}"


def _names(part: type[Part]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(part)}


def _part_of(hint: object) -> type[Part]:
    """Return the struct in a type such as ``list[Salary | None] | None``."""
    if isinstance(hint, type) and issubclass(hint, Part):
        return hint
    return next(part for part in map(_part_of, filter(_is_wrapper, get_args(hint))))


def _is_wrapper(hint: object) -> bool:
    return bool(get_args(hint)) or (isinstance(hint, type) and issubclass(hint, Part))


FIELDS: Final = {
    field.encode_name: _names(_part_of(get_type_hints(Person)[field.name]))
    for field in msgspec.structs.fields(Person)
}
"""The names of the fields that are saved, for each part of a record."""
