"""What HRIMS sends: an answer's bytes come in, a page, a person or one error of the tree goes out.

A page in which everything is right takes one pass; in any other, each record is read alone: a record
can only break itself.
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
from hrims.remote import kept, record, scan
from hrims.remote.records import Person, Unreadable

__all__ = ["Page", "Person", "Unreadable", "decode_page", "decode_person"]

MOST_PEOPLE: Final = 2**31 - 1
"""A total above this is no count of people, and would not fit its column."""

CREDENTIALS_REFUSED: Final = (
    "HRIMS does not accept the credentials. Check HRIMS_API_KEY and HRIMS_TOKEN; "
    "what is saved stays as it is."
)

TOO_LARGE_FOR_HRIMS: Final = "HRIMS does not send a page as large as was asked for"


class Page(msgspec.Struct, frozen=True):
    """One page: its number, the size asked for, the source's own total, its records in order; and the
    answer that held it, for those who look at what is not typed.
    """

    number: int
    size: int
    total: int
    records: list[Person | Unreadable]
    body: bytes = b""

    @property
    def start(self) -> int:
        """The position of its first record in the list, from 0."""
        return self.number * self.size


Number = int | float | str
"""A number as it is sent: some servers write 150 as "150" or 150.0."""


class Verdict(msgspec.Struct):
    """How HRIMS itself calls its answer; read first, whatever the rest looks like."""

    code: Number
    status: object = None
    description: object = None


class Frame(msgspec.Struct, rename="camel", kw_only=True):
    """What stands around the records of a page."""

    overall_data_size: Number
    current_page: Number | None = None
    current_data_size: Number | None = None


class RightPage(Frame, rename="camel", kw_only=True):
    code: Number
    status: object = None
    description: object = None
    data: list[Person]


_T = TypeVar("_T")
_REFUSED: Final = (ValueError, RecursionError)
"""What msgspec raises over bytes that are not what was asked for."""

_right_page = msgspec.json.Decoder(RightPage)
_frame = msgspec.json.Decoder(Frame)
_verdict = msgspec.json.Decoder(Verdict)
_WORDS: Final = {"status", "description"}
_AROUND: Final = {"code", "overallDataSize", "currentPage", "currentDataSize", "data"} | _WORDS


def decode_page(body: bytes, *, number: int, size: int) -> Page:
    """The page that ``body`` holds, asked for as page ``number`` (from 0) of ``size`` records.

    Raises RemoteFailed, RemoteBadRequest, RemoteCredentials or RemoteUnknown as the body's code
    says, and RemoteGarbled where it is not the page that was asked for. A record whose types are
    wrong is Unreadable in its place, and costs no other.
    """
    page = _at_once(body)
    if page is None:
        return _page_by_record(body, number, size)
    judge(page)
    total = _check(page, len(page.data), number, size)
    return Page(number, size, total, list[Person | Unreadable](page.data), body)


def _at_once(body: bytes) -> RightPage | None:
    try:
        return _right_page.decode(body)
    except _REFUSED:
        return None


def _page_by_record(body: bytes, number: int, size: int) -> Page:
    around = _around(body)
    judge(_decoded(_verdict, around))
    frame = _decoded(_frame, around)
    raw, there = _records(around.get("data"), frame, size)
    total = _check(frame, there, number, size)
    return Page(number, size, total, [record.decode(one) for one in raw], body)


def _records(data: bytes | None, frame: Frame, most: int) -> tuple[list[bytes], int]:
    """Return the records of a page, at most so many of them, and how many there are."""
    if _whole(frame.overall_data_size, "overallDataSize") == 0 and _is_nothing(data):
        return [], 0
    if data is None:
        raise RemoteGarbled(_not_contract("data is missing"))
    if data[:1] == b"[":
        try:
            records = scan.elements(data)
            return (raw := list(islice(records, most))), len(raw) + sum(1 for _ in records)
        except scan.Malformed:
            pass
    found = _FOUND.get(data[:1], "something else")
    raise RemoteGarbled(_not_contract(f"a list expected, {found} found", "data"))


_FOUND: Final = {b"[": "a broken list", b"{": "an object", b'"': "text", b"n": "null"}


def _is_nothing(data: bytes | None) -> bool:
    """Whether an institution without employees has this instead of an empty list."""
    return data is None or data == b"null" or (data[:1] == b"{" and not data[1:-1].strip())


def decode_person(body: bytes) -> Person | Unreadable:
    """The one employee that ``body`` holds; raises as ``decode_page`` does."""
    around = _around(body)
    judge(_decoded(_verdict, around))
    if not around.get("data", b"").startswith(b"{"):
        raise RemoteGarbled("HRIMS answered without an employee, and without saying why.")
    return record.decode(around["data"])


def verdict(body: bytes) -> Verdict | None:
    """The code that ``body`` carries, or None where it is not an answer of the contract."""
    try:
        found = _decoded(_verdict, _around(body))
        _whole(found.code, "code")
    except RemoteGarbled:
        return None
    return found


def judge(answer: Verdict | RightPage, *, retry_after: float | None = None) -> None:
    """Raises what the answer's own code says, unless it says that all is well."""
    code = _whole(answer.code, "code")
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
        words = f"HRIMS answered that it failed (code {code}{_own(answer)})."
        raise RemoteFailed(words, retry_after=retry_after)
    raise RemoteGarbled("HRIMS answered with a code that its contract does not have.")


def _is_failure(status: object) -> bool:
    return isinstance(status, str) and status.strip().lower() == "failure"


def _own(answer: Verdict | RightPage) -> str:
    said = answer.description
    timed_out = isinstance(said, str) and said.lstrip().lower().startswith("timeout")
    return ", it ran out of time" if timed_out else ""


def _check(frame: Frame, there: int, number: int, size: int) -> int:
    """Return the total. Raises RemoteGarbled where the frame fits neither the question nor the records."""
    total = _whole(frame.overall_data_size, "overallDataSize")
    if _whole_or_none(frame.current_page, "currentPage") not in {None, number}:
        words = f"HRIMS answered with another page than page {number}, asked for."
        raise RemoteOtherPage(words, had=there, total=total)
    if there > size:
        raise RemoteLong(f"HRIMS answered with {there} records where at most {size} fit.", had=there)
    if _whole_or_none(frame.current_data_size, "currentDataSize") not in {None, there}:
        raise RemoteGarbled(f"HRIMS sent {there} records but says that it sent another number.")
    if there > total:
        words = f"HRIMS sent {there} records with a total of {total}, which cannot be."
        raise RemoteContradictory(words, had=there, total=total)
    if total > MOST_PEOPLE:
        raise RemoteGarbled(f"HRIMS sent {there} records with a total that cannot be.")
    return total


_DIGITS: Final = re.compile(r"([0-9]{1,18})(?:\.0{1,18})?", re.ASCII)


def _whole(number: Number, where: str) -> int:
    """Return a number that is whole, however it is written. Raises RemoteGarbled for any other."""
    if isinstance(number, float) and number.is_integer():
        return int(number)
    if isinstance(number, int):
        return number
    if isinstance(number, str) and (found := _DIGITS.fullmatch(number.strip())):
        return int(found[1])
    kind = "text" if isinstance(number, str) else "a number with a fraction"
    raise RemoteGarbled(_not_contract(f"a whole number expected, {kind} found", where))


def _whole_or_none(number: Number | None, where: str) -> int | None:
    return None if number is None else _whole(number, where)


def _around(body: bytes) -> dict[str, bytes]:
    """Return what stands around the records, and they themselves, each as bytes; only what is known."""
    body = body.removeprefix(b"\xef\xbb\xbf")
    try:
        return {name: value for name, value in scan.members(scan.document(body)) if name in _AROUND}
    except scan.Malformed:
        pass
    if body.lstrip()[:1] == b"<":
        raise RemoteGarbled("HRIMS answered with a web page (HTML) instead of JSON.")
    raise RemoteGarbled("HRIMS answered with something that is not whole JSON.")


def _decoded(decoder: msgspec.json.Decoder[_T], around: dict[str, bytes]) -> _T:
    try:
        values = {
            name: msgspec.Raw(kept.scalar(value, name, is_strict=name not in _WORDS))
            for name, value in around.items()
            if name != "data"
        }
        return decoder.decode(msgspec.json.encode(values))
    except msgspec.ValidationError as reason:
        what, where = record.told(reason)
    except kept.NotJson as reason:
        what, where = reason.reason, reason.path
    except _REFUSED:
        what, where = "a value that is out of range", None
    raise RemoteGarbled(_not_contract(what, where))


def _not_contract(what: str, where: str | None = None) -> str:
    return f"HRIMS answered with JSON that is not its contract's: {where or 'it'}: {what}."
