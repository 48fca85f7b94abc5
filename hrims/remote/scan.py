"""Scans JSON by its structure alone. Input: bytes. Output: the bytes of single values.

A value that is not read may be anything (NaN, 3,000 levels, text that is not UTF-8), if its strings end and
its brackets match. Nothing here recurses. Time is linear in the number of bytes; memory is one byte per
nested level.
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

import msgspec

MAX_STEPS: Final = 250_000
"""Maximum sequences of brackets, or parts between commas, of one value. More would block the process for
seconds.
"""

_STRING: Final = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'
_SPACE: Final = rb"[ \t\n\r]*+"

_to_separator = re.compile(rb'[^"\[\]{},]*+(?:%b[^"\[\]{},]*+)*+([\[\]{},])' % _STRING, re.DOTALL).match
_to_brackets = re.compile(
    rb'[^"\[\]{}]*+(?:%b[^"\[\]{}]*+)*+(?:([\[{]++)|([\]}]++))' % _STRING, re.DOTALL
).match
_key = re.compile(rb"(%b)%b:%b" % (_STRING, _SPACE, _SPACE), re.DOTALL).match
_scalar = re.compile(rb'%b|[^\s",:\[\]{}]++' % _STRING, re.DOTALL).fullmatch
_space = re.compile(_SPACE).match

_OPENS: Final = (b"[", b"{")
_CLOSES: Final = bytes.maketrans(b"[{", b"]}")
_text = msgspec.json.Decoder(str)


class Malformed(ValueError):
    """A broken structure: a string or bracket without an end, or a member without a name."""


class _Part(NamedTuple):
    """The part between two commas of a container, and the first and last container within it."""

    begin: int
    end: int
    opened: int
    closed: int


def document(body: bytes) -> bytes:
    """Return the only object in ``body``, without the white space around it. Raises Malformed."""
    begin = _after_space(body, 0)
    if body[begin : begin + 1] != b"{":
        raise Malformed("no object")
    end = _close(body, begin)
    if _after_space(body, end) != len(body):
        raise Malformed("more than one value")
    return body[begin:end]


def elements(array: bytes) -> Iterator[bytes]:
    """Yield each element of an array, in order. One without brackets may be anything. Raises Malformed."""
    for part in _parts(array):
        yield _value(array, part, part.begin) if part.opened >= 0 else array[part.begin : part.end]


def members(record: bytes) -> Iterator[tuple[str, bytes]]:
    """Yield the name and value of each member of an object, in order. Raises Malformed."""
    for part in _parts(record):
        name = _key(record, part.begin, part.end)
        if name is None:
            raise Malformed("a member without a name")
        yield _name(name[1]), _value(record, part, name.end())


def _name(quoted: bytes) -> str:
    try:
        return _text.decode(quoted)
    except ValueError:
        # It cannot be one of the names that are read.
        return quoted.decode(errors="replace")


def _value(raw: bytes, part: _Part, begin: int) -> bytes:
    """Return the value that fills the rest of a part. Raises Malformed if that is not exactly one value."""
    value = raw[begin : part.end]
    is_container = (part.opened, part.closed) == (begin, part.end)
    if not is_container and (part.opened >= 0 or _scalar(value) is None):
        raise Malformed("not one value")
    return value


def _parts(container: bytes) -> Iterator[_Part]:
    """Yield the parts between the commas of a container. Raises Malformed."""
    start = at = 1
    opened = closed = -1
    for _ in range(MAX_STEPS):
        found = _to_separator(container, at)
        if found is None:
            raise Malformed("no end")
        at = found.end()
        if found[1] in _OPENS:
            opened = at - 1 if closed < 0 else len(container)
            at = closed = _close(container, at - 1)
            continue
        begin, end = _trim(container, start, at - 1)
        is_last = found[1] != b","
        if begin < end:
            yield _Part(begin, end, opened, closed)
        elif not is_last or start > 1:
            raise Malformed("a comma without a value")
        if is_last:
            return
        start, opened, closed = at, -1, -1
    raise Malformed("more parts than a page has")


def _trim(raw: bytes, start: int, end: int) -> tuple[int, int]:
    begin = _after_space(raw, start)
    while end > begin and raw[end - 1] in b" \t\n\r":
        end -= 1
    return begin, end


def _after_space(raw: bytes, at: int) -> int:
    found = _space(raw, at)
    assert found is not None
    return found.end()


def _close(raw: bytes, begin: int) -> int:
    """Return the position after the bracket that closes the one at ``begin``. Raises Malformed."""
    missing = bytearray()  # the closing brackets that are expected, the next one last
    at = begin
    for _ in range(MAX_STEPS):
        found = _to_brackets(raw, at)
        if found is None:
            raise Malformed("no end")
        at = found.end()
        if found[1]:
            missing += found[1].translate(_CLOSES)
            continue
        here = found[2][: len(missing)]
        if missing[: -len(here) - 1 : -1] != here:
            raise Malformed("brackets that do not match")
        del missing[-len(here) :]
        if not missing:
            return at - len(found[2]) + len(here)
    raise Malformed("more brackets than a page has")
