"""Records of HRIMS read without their types: an answer's bytes come in; what no type tells goes out, such as
fields that nobody knows, and whose record it is that cannot be read.
"""

from typing import Any

import msgspec

from hrims.remote.records import PersonalInfo

_REFUSED = (ValueError, RecursionError)


class _Records(msgspec.Struct):
    data: list[msgspec.Raw]


class _Whose(msgspec.Struct, rename="camel"):
    """Of a record, only the part that says whose it is has to be an object."""

    personal_info: dict[str, object] | None = None


_records = msgspec.json.Decoder(_Records)
_whose = msgspec.json.Decoder(_Whose)
_anything = msgspec.json.Decoder()


def records(body: bytes, most: int | None = None) -> list[Any]:
    """The records of a page, each as any JSON; at most so many, spread evenly over the page.

    Those that cannot be read at all are left out.
    """
    try:
        raw = _records.decode(body).data
    except _REFUSED:
        return []
    step = -(-len(raw) // most) if most and raw else 1
    return [one for one in map(_read, raw[::step]) if one is not _UNREAD]


_UNREAD = object()


def _read(raw: msgspec.Raw) -> Any:
    try:
        return _anything.decode(raw)
    except _REFUSED:
        return _UNREAD


def info(raw: msgspec.Raw) -> PersonalInfo | None:
    """What says whose a record is, as far as it is text or a number; None where nothing of it can be read."""
    try:
        found = _whose.decode(raw).personal_info
    except _REFUSED:
        return None
    if found is None:
        return None
    names = ("zanIdNumber", "payrollNumber", "firstName", "middleName", "lastName")
    zan_id, payroll, first, middle, last = (_text(found.get(name)) for name in names)
    return PersonalInfo(
        zan_id_number=zan_id, payroll_number=payroll, first_name=first, middle_name=middle, last_name=last
    )


def _text(value: object) -> str | None:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None
