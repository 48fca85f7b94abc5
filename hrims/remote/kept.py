"""The kept fields of one record: its bytes come in, the same record goes out as JSON that holds only the
fields of ``records.Person``. What stands in any other field is not read.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final, get_args, get_type_hints

import msgspec

from hrims.remote import scan
from hrims.remote.records import Part, Person

MOST_ENTRIES: Final = 1000
"""Entries of one list of a record; nobody had so many jobs."""

_any = msgspec.json.Decoder()

_WORDS: Final = re.compile(rb"[-+]?(?:NaN|nan|Infinity|inf)|undefined|None|True|False")
"""What other languages write for values that JSON does not have; harmless to repeat."""

_ESCAPE: Final = re.compile(
    rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(?P<half>u[dD][89a-fA-F]..)|.)", re.DOTALL
)
_CONTROL: Final = re.compile(rb"[\x00-\x1f]")


class NotJson(ValueError):
    """A kept value that is not JSON: why, in words that hold nothing of it, and where."""

    def __init__(self, reason: str, path: str) -> None:
        super().__init__(reason)
        self.reason, self.path = reason, path


def only_kept(record: bytes) -> bytes:
    """Return the record with the kept fields alone. Raises NotJson, or Malformed for a broken structure."""
    return _record(record, is_strict=True)


def readable(record: bytes) -> bytes:
    """Return what can be read of the kept fields; what cannot is null."""
    return _record(record, is_strict=False)


def scalar(value: bytes, path: str, *, is_strict: bool = True) -> bytes:
    """Return a value that is no container as JSON; of a container only its kind. Raises NotJson if strict."""
    if value[:1] in (b"[", b"{"):
        return b"[]" if value[:1] == b"[" else b"{}"
    text = _mended(value) if value[:1] == b'"' else value
    reason = _wrong(text)
    if reason and is_strict:
        raise NotJson(reason, path)
    return b"null" if reason else text


def _mended(text: bytes) -> bytes:
    """Return a text with control characters escaped. Half characters, which no database keeps, become NUL,
    for which the record is rejected.
    """
    text = _CONTROL.sub(lambda found: b"\\u%04x" % found[0][0], text)
    return _ESCAPE.sub(lambda found: rb"\u0000" if found["half"] else found[0], text)


def _wrong(value: bytes) -> str | None:
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
        name: _part(value, name, _FIELDS[name], is_strict=is_strict)
        for name, value in _members(record, set(_FIELDS), is_strict=is_strict)
    }
    return _object(parts)


def _part(value: bytes, path: str, names: set[str], *, is_strict: bool) -> bytes:
    """Return an object, or a list of objects, with the fields of these names alone."""
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
        if at == MOST_ENTRIES and is_strict:
            raise NotJson(f"more than {MOST_ENTRIES:,} entries found", path)
        if at == MOST_ENTRIES:
            return
        is_list = entry[:1] == b"["
        yield b"[]" if is_list else _part(entry, f"{path}[{at}]", names, is_strict=is_strict)


def _members(raw: bytes, names: set[str], *, is_strict: bool) -> Iterable[tuple[str, bytes]]:
    # Of a name that stands twice the last counts, as for every JSON reader.
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


_FIELDS: Final = {
    field.encode_name: _names(_part_of(get_type_hints(Person)[field.name]))
    for field in msgspec.structs.fields(Person)
}
"""The names of the kept fields of each part of a record."""
