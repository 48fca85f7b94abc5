"""Decodes the responses of HRIMS. Input: the bytes of a response. Output: a page, an employee or one
RemoteError.

A page without errors is decoded in one pass. In any other page, each record is decoded separately, so a wrong
record affects no other.
"""

import re
from itertools import islice
from typing import Final, TypeVar

import msgspec

from hrims.errors import (
    RemoteBadRequest,
    RemoteContradictory,
    RemoteCredentials,
    RemoteFailed,
    RemoteGarbled,
    RemoteLong,
    RemoteOtherPage,
    RemoteTooLarge,
    RemoteUnknown,
)
from hrims.remote import field_filter, record, scan
from hrims.remote.records import Person, Unreadable

__all__ = ["Page", "Person", "Unreadable", "decode_page", "decode_person"]

MAX_PEOPLE: Final = 2**31 - 1
"""Maximum plausible total; a larger one would not fit its column."""

CREDENTIALS_REFUSED: Final = (
    "HRIMS does not accept the credentials. Check them on the page “HRIMS connection”, or HRIMS_API_KEY and "
    "HRIMS_TOKEN; what is saved stays as it is."
)

TOO_LARGE_FOR_HRIMS: Final = "HRIMS does not send a page as large as was asked for"


class Page(msgspec.Struct, frozen=True):
    """One page: its number, the requested size, the total that HRIMS reports, and its records in order.

    ``body`` is the response, for code that reads fields without types.
    """

    number: int
    size: int
    total: int
    records: list[Person | Unreadable]
    body: bytes = b""

    @property
    def start(self) -> int:
        """Return the position of its first record in the list, from 0."""
        return self.number * self.size


Number = int | float | str
"""A number as HRIMS sends it: some servers write 150 as "150" or 150.0."""


class ResponseStatus(msgspec.Struct):
    """The status that HRIMS gives its response. It is read first, whatever the rest contains."""

    code: Number
    status: object = None
    description: object = None


class Frame(msgspec.Struct, rename="camel", kw_only=True):
    """The fields around the records of a page."""

    overall_data_size: Number
    current_page: Number | None = None
    current_data_size: Number | None = None


class ExpectedPage(Frame, rename="camel", kw_only=True):
    code: Number
    status: object = None
    description: object = None
    data: list[Person]


_T = TypeVar("_T")
_REFUSED: Final = (ValueError, RecursionError)
"""Errors that msgspec raises if bytes do not have the expected type."""

_right_page = msgspec.json.Decoder(ExpectedPage)
_frame = msgspec.json.Decoder(Frame)
_verdict = msgspec.json.Decoder(ResponseStatus)
_WORDS: Final = {"status", "description"}
_AROUND: Final = {"code", "overallDataSize", "currentPage", "currentDataSize", "data"} | _WORDS


def decode_page(body: bytes, *, number: int, size: int) -> Page:
    """Return the page in ``body``, which was requested as page ``number`` (from 0) of ``size`` records.

    Raises RemoteFailed, RemoteBadRequest, RemoteCredentials or RemoteUnknown according to the code of the
    body. Raises RemoteGarbled if it is not the requested page. A record with wrong types becomes Unreadable
    at its position; other records are not affected.
    """
    page = _decode_whole_page(body)
    if page is None:
        return _page_by_record(body, number, size)
    raise_if_failed(page)
    total = _check(page, len(page.data), number, size)
    return Page(number, size, total, list[Person | Unreadable](page.data), body)


def _decode_whole_page(body: bytes) -> ExpectedPage | None:
    try:
        return _right_page.decode(body)
    except _REFUSED:
        return None


def _page_by_record(body: bytes, number: int, size: int) -> Page:
    envelope = _split_envelope(body)
    raise_if_failed(_decode_envelope(_verdict, envelope))
    frame = _decode_envelope(_frame, envelope)
    raw, record_count = _records(envelope.get("data"), frame, size)
    total = _check(frame, record_count, number, size)
    return Page(number, size, total, [record.decode(record_json) for record_json in raw], body)


def _records(data: bytes | None, frame: Frame, limit: int) -> tuple[list[bytes], int]:
    """Return at most ``most`` records of a page, and the number of records that it has."""
    if _whole_number(frame.overall_data_size, "overallDataSize") == 0 and _is_nothing(data):
        return [], 0
    if data is None:
        raise RemoteGarbled(_not_contract("data is missing"))
    if data[:1] == b"[":
        try:
            records = scan.elements(data)
            return (raw := list(islice(records, limit))), len(raw) + sum(1 for _ in records)
        except scan.Malformed:
            pass
    found = _FOUND.get(data[:1], "something else")
    raise RemoteGarbled(_not_contract(f"a list expected, {found} found", "data"))


_FOUND: Final = {b"[": "a broken list", b"{": "an object", b'"': "text", b"n": "null"}


def _is_nothing(data: bytes | None) -> bool:
    """Return whether HRIMS sent this instead of an empty list, for an institution without employees."""
    return data is None or data == b"null" or (data[:1] == b"{" and not data[1:-1].strip())


def decode_person(body: bytes) -> Person | Unreadable:
    """Return the one employee in ``body``. Raises as ``decode_page``."""
    envelope = _split_envelope(body)
    raise_if_failed(_decode_envelope(_verdict, envelope))
    if not envelope.get("data", b"").startswith(b"{"):
        raise RemoteGarbled("HRIMS answered without an employee, and without saying why.")
    return record.decode(envelope["data"])


def decode_verdict(body: bytes) -> ResponseStatus | None:
    """Return the status of ``body``, or None if it is not a response of the contract."""
    try:
        found = _decode_envelope(_verdict, _split_envelope(body))
        _whole_number(found.code, "code")
    except RemoteGarbled:
        return None
    return found


def raise_if_failed(answer: ResponseStatus | ExpectedPage, *, retry_after: float | None = None) -> None:
    """Raise the error of the response's own code, unless the code means success."""
    code = _whole_number(answer.code, "code")
    if code == 200 and not _is_failure(answer.status):
        return
    if code == 400:
        raise RemoteBadRequest("HRIMS calls the request wrong (code 400).")
    if code in {401, 403}:
        raise RemoteCredentials(CREDENTIALS_REFUSED)
    if code == 404:
        raise RemoteUnknown("HRIMS does not know this vote code, TIN or person (code 404).")
    if code == 413:
        raise RemoteTooLarge(f"{TOO_LARGE_FOR_HRIMS} (code 413).", retry_after=retry_after)
    if code in {200, 429} or 500 <= code <= 599:
        message = f"HRIMS answered that it failed (code {code}{_remote_message(answer)})."
        raise RemoteFailed(message, retry_after=retry_after)
    raise RemoteGarbled("HRIMS answered with a code that its contract does not have.")


def _is_failure(status: object) -> bool:
    return isinstance(status, str) and status.strip().lower() == "failure"


def _remote_message(answer: ResponseStatus | ExpectedPage) -> str:
    message = answer.description
    timed_out = isinstance(message, str) and message.lstrip().lower().startswith("timeout")
    return ", it ran out of time" if timed_out else ""


def _check(frame: Frame, record_count: int, number: int, size: int) -> int:
    """Return the total. Raises RemoteGarbled if the frame matches neither the request nor the records."""
    total = _whole_number(frame.overall_data_size, "overallDataSize")
    if _whole_or_none(frame.current_page, "currentPage") not in {None, number}:
        message = f"HRIMS answered with another page than page {number}, asked for."
        raise RemoteOtherPage(message, had=record_count, total=total)
    if record_count > size:
        raise RemoteLong(
            f"HRIMS answered with {record_count} records where at most {size} fit.", had=record_count
        )
    if _whole_or_none(frame.current_data_size, "currentDataSize") not in {None, record_count}:
        raise RemoteGarbled(f"HRIMS sent {record_count} records but says that it sent another number.")
    if record_count > total:
        message = f"HRIMS sent {record_count} records with a total of {total}, which cannot be."
        raise RemoteContradictory(message, had=record_count, total=total)
    if total > MAX_PEOPLE:
        raise RemoteGarbled(f"HRIMS sent {record_count} records with a total that cannot be.")
    return total


_DIGITS: Final = re.compile(r"([0-9]{1,18})(?:\.0{1,18})?", re.ASCII)


def _whole_number(number: Number, where: str) -> int:
    """Return a whole number, in whatever form it is written. Raises RemoteGarbled for any other value."""
    if isinstance(number, float) and number.is_integer():
        return int(number)
    if isinstance(number, int):
        return number
    if isinstance(number, str) and (found := _DIGITS.fullmatch(number.strip())):
        return int(found[1])
    kind = "text" if isinstance(number, str) else "a number with a fraction"
    raise RemoteGarbled(_not_contract(f"a whole number expected, {kind} found", where))


def _whole_or_none(number: Number | None, where: str) -> int | None:
    return None if number is None else _whole_number(number, where)


def _split_envelope(body: bytes) -> dict[str, bytes]:
    """Return the known fields around the records, and the records themselves, each as bytes."""
    body = body.removeprefix(b"\xef\xbb\xbf")
    try:
        return {name: value for name, value in scan.members(scan.document(body)) if name in _AROUND}
    except scan.Malformed:
        pass
    if body.lstrip()[:1] == b"<":
        raise RemoteGarbled("HRIMS answered with a web page (HTML) instead of JSON.")
    raise RemoteGarbled("HRIMS answered with something that is not whole JSON.")


def _decode_envelope(decoder: msgspec.json.Decoder[_T], envelope: dict[str, bytes]) -> _T:
    try:
        values = {
            name: msgspec.Raw(field_filter.scalar(value, name, is_strict=name not in _WORDS))
            for name, value in envelope.items()
            if name != "data"
        }
        return decoder.decode(msgspec.json.encode(values))
    except msgspec.ValidationError as reason:
        what, where = record.format_validation_error(reason)
    except field_filter.NotJson as reason:
        what, where = reason.reason, reason.path
    except _REFUSED:
        what, where = "a value that is out of range", None
    raise RemoteGarbled(_not_contract(what, where))


def _not_contract(what: str, where: str | None = None) -> str:
    return f"HRIMS answered with JSON that is not its contract's: {where or 'it'}: {what}."
