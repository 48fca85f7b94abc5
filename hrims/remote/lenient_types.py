"""Reads records of HRIMS without their types. Input: the bytes of a response. Output: what the types do not
show, such as unknown fields, and the owner of a record that cannot be decoded.
"""

from typing import Any, NamedTuple

import msgspec

from hrims.remote import field_filter, scan
from hrims.remote.records import PersonalInfo

_REFUSED = (ValueError, RecursionError)


class _Records(msgspec.Struct):
    data: list[msgspec.Raw]


_records = msgspec.json.Decoder(_Records)
_anything = msgspec.json.Decoder()


def records(body: bytes, limit: int | None = None) -> list[Any]:
    """Return the records of a page, each as any JSON: at most ``most``, spread evenly over the page.

    If a record is not JSON, only the names of its fields are read. A record with broken brackets is omitted.
    """
    raw = _split(body)
    step = -(-len(raw) // limit) if limit and raw else 1
    return [record for record in map(_read, raw[::step]) if record is not _UNREAD]


def _split(body: bytes) -> list[bytes]:
    try:
        return [bytes(raw) for raw in _records.decode(body).data]
    except _REFUSED:
        pass
    try:
        data = dict(scan.members(scan.document(body))).get("data", b"[]")
        return list(scan.elements(data)) if data[:1] == b"[" else []
    except scan.Malformed:
        return []


_UNREAD = object()


def _read(raw: bytes) -> Any:
    try:
        return _anything.decode(raw)
    except _REFUSED:
        pass
    try:
        return {name: _names(value) for name, value in scan.members(raw)} if raw[:1] == b"{" else None
    except scan.Malformed:
        return _UNREAD


def _names(value: bytes) -> Any:
    """Return an object, or a list of objects, with only the names."""
    if value[:1] == b"{":
        return dict.fromkeys(name for name, _ in scan.members(value))
    if value[:1] == b"[":
        return [_names(entry) for entry in scan.elements(value) if entry[:1] == b"{"]
    return None


class Owner(NamedTuple):
    """The fields that identify the employee of a record, if they are text or numbers.

    ``info`` or ``workplace`` is None if nothing of it can be read.
    """

    info: PersonalInfo | None = None
    workplace: str | None = None


def find_owner(raw: bytes) -> Owner:
    """Return the owner of a record that cannot be decoded as a whole."""
    try:
        found = _anything.decode(field_filter.repair_record(raw))
    except _REFUSED:
        return Owner()
    return Owner(_info(found), _workplace(found)) if isinstance(found, dict) else Owner()


def _info(record: dict[str, Any]) -> PersonalInfo | None:
    found = record.get("personalInfo")
    if not isinstance(found, dict):
        return None
    names = ("zanIdNumber", "payrollNumber", "firstName", "middleName", "lastName")
    zan_id, payroll, first, middle, last = (_text(found.get(name)) for name in names)
    return PersonalInfo(
        zan_id_number=zan_id, payroll_number=payroll, first_name=first, middle_name=middle, last_name=last
    )


def _workplace(record: dict[str, Any]) -> str | None:
    """Return the workplace of the current employment, or else of the first, like ``employees.mapping``."""
    jobs = record.get("employmentHistories")
    known = [job for job in jobs if isinstance(job, dict)] if isinstance(jobs, list) else []
    current = next((job for job in known if job.get("isCurrent") is True), known[0] if known else {})
    return _text(current.get("entityName"))


def _text(value: object) -> str | None:
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else None
