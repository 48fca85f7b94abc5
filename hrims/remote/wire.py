"""What HRIMS sends: an answer's bytes come in, a page, a person or one error of the tree goes out.

A page in which everything is right takes one pass; in any other, each record is read by itself.
"""

import re
from typing import Final, TypeVar

import msgspec

from hrims.errors import (
    RemoteBadRequest,
    RemoteCredentials,
    RemoteFailed,
    RemoteGarbled,
    RemoteLong,
    RemoteUnknown,
)
from hrims.remote import loose
from hrims.remote.records import Person, PersonalInfo

__all__ = ["Page", "Person", "Unreadable", "decode_page", "decode_person"]

MOST_PEOPLE: Final = 2**31 - 1
"""A total above this is no count of people, and would not fit its column."""

CREDENTIALS_REFUSED: Final = (
    "HRIMS does not accept the credentials. Check HRIMS_API_KEY and HRIMS_TOKEN; "
    "what is saved stays as it is."
)


class Unreadable(msgspec.Struct, frozen=True):
    """A record that is not an employee: why, in words, where (``personalInfo.firstName``), and whose it is
    as far as that can be read all the same.
    """

    reason: str
    field: str | None = None
    info: PersonalInfo | None = None

    def __repr__(self) -> str:
        """Without whose it is: that is for the digest, and for no log."""
        return f"Unreadable({self.reason!r}, {self.field!r})"


class Page(msgspec.Struct, frozen=True):
    """One page: its number, the size asked for, the source's own total, its records in order; and the
    answer that held it, for those who look at what is not typed.
    """

    number: int
    size: int
    total: int
    records: list[Person | Unreadable]
    body: bytes = b""


class Verdict(msgspec.Struct):
    """How HRIMS itself calls its answer; read first, whatever the rest looks like."""

    code: int
    status: object = None
    description: object = None


class Frame(msgspec.Struct, rename="camel", kw_only=True):
    """What stands around the records of a page."""

    overall_data_size: int
    current_page: int | None = None
    current_data_size: int | None = None


class RightPage(Frame, rename="camel", kw_only=True):
    code: int
    status: object = None
    description: object = None
    data: list[Person]


class RawPage(Frame, rename="camel", kw_only=True):
    data: list[msgspec.Raw]


class RawPerson(msgspec.Struct):
    data: msgspec.Raw


_T = TypeVar("_T")
_REFUSED: Final = (ValueError, RecursionError)
"""What msgspec and json raise over bytes that are not what was asked for."""

_right_page = msgspec.json.Decoder(RightPage)
_raw_page = msgspec.json.Decoder(RawPage)
_raw_person = msgspec.json.Decoder(RawPerson)
_verdict = msgspec.json.Decoder(Verdict)
_person = msgspec.json.Decoder(Person)


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
    _check(page, len(page.data), number, size)
    return Page(number, size, page.overall_data_size, list[Person | Unreadable](page.data), body)


def _at_once(body: bytes) -> RightPage | None:
    try:
        return _right_page.decode(body)
    except _REFUSED:
        return None


def _page_by_record(body: bytes, number: int, size: int) -> Page:
    body = _plain(body)
    judge(_decoded(_verdict, body))
    frame = _decoded(_raw_page, body)
    _check(frame, len(frame.data), number, size)
    return Page(number, size, frame.overall_data_size, [_record(raw) for raw in frame.data], body)


def decode_person(body: bytes) -> Person | Unreadable:
    """The one employee that ``body`` holds; raises as ``decode_page`` does."""
    body = _plain(body)
    judge(_decoded(_verdict, body))
    raw = _decoded(_raw_person, body).data
    if not bytes(raw).startswith(b"{"):
        raise RemoteGarbled("HRIMS answered without an employee, and without saying why.")
    return _record(raw)


def verdict(body: bytes) -> Verdict | None:
    """The code that ``body`` carries, or None where it is not an answer of the contract."""
    try:
        return _verdict.decode(_plain(body))
    except (*_REFUSED, RemoteGarbled):
        return None


def judge(answer: Verdict | RightPage, *, retry_after: float | None = None) -> None:
    """Raises what the answer's own code says, unless it says that all is well."""
    if answer.code == 200 and not _is_failure(answer.status):
        return
    if answer.code == 400:
        raise RemoteBadRequest("HRIMS calls the request wrong (code 400).")
    if answer.code in {401, 403}:
        raise RemoteCredentials(CREDENTIALS_REFUSED)
    if answer.code == 404:
        raise RemoteUnknown("HRIMS does not know this vote code, TIN or person (code 404).")
    if answer.code in {200, 429} or 500 <= answer.code <= 599:
        words = f"HRIMS answered that it failed (code {answer.code}{_own(answer)})."
        raise RemoteFailed(words, retry_after=retry_after)
    raise RemoteGarbled("HRIMS answered with a code that its contract does not have.")


def _is_failure(status: object) -> bool:
    return isinstance(status, str) and status.strip().lower() == "failure"


def _own(answer: Verdict | RightPage) -> str:
    said = answer.description
    timed_out = isinstance(said, str) and said.lstrip().lower().startswith("timeout")
    return ", it ran out of time" if timed_out else ""


def _check(frame: Frame, there: int, number: int, size: int) -> None:
    total = frame.overall_data_size
    if frame.current_page not in {None, number}:
        raise RemoteGarbled(f"HRIMS answered with another page than page {number}, asked for.")
    if there > size:
        raise RemoteLong(f"HRIMS answered with {there} records where at most {size} fit.", had=there)
    if frame.current_data_size not in {None, there}:
        raise RemoteGarbled(f"HRIMS sent {there} records but says that it sent another number.")
    if not there <= total <= MOST_PEOPLE:
        raise RemoteGarbled(f"HRIMS sent {there} records with a total that cannot be.")


def _decoded(decoder: msgspec.json.Decoder[_T], body: bytes) -> _T:
    try:
        return decoder.decode(body)
    except _REFUSED as reason:
        words = _told_of_body(reason, body)
    raise RemoteGarbled(words)


def _told_of_body(reason: Exception, body: bytes) -> str:
    if body.lstrip()[:1] == b"<":
        return "HRIMS answered with a web page (HTML) instead of JSON."
    if isinstance(reason, msgspec.ValidationError):
        what, where = _told(reason)
        return f"HRIMS answered with JSON that is not its contract's: {where or 'it'}: {what}."
    if isinstance(reason, RecursionError):
        return "HRIMS answered with JSON nested deeper than any employee."
    return "HRIMS answered with something that is not whole JSON."


def _record(raw: msgspec.Raw) -> Person | Unreadable:
    try:
        return _person.decode(raw)
    except msgspec.ValidationError as reason:
        return Unreadable(*_told(reason), loose.info(raw))
    except UnicodeDecodeError:
        return Unreadable("its text is not UTF-8")
    except _REFUSED:
        return Unreadable("it is not JSON")


_KINDS: Final = {
    "str": "text",
    "bool": "true or false",
    "int": "a number",
    "float": "a number",
    "object": "an object",
    "array": "a list",
    "null": "null",
}


def _told(reason: msgspec.ValidationError) -> tuple[str, str | None]:
    """A wrong type in words, and the path to it; neither ever holds a value."""
    text, _, where = str(reason).partition(" - at `$")
    path = where.strip("`.") or None
    if kinds := re.fullmatch(r"Expected `(\w+)(?: \| null)?`, got `(\w+)`", text):
        wanted, got = (_KINDS.get(kind, kind) for kind in kinds.groups())
        return f"{wanted} expected, {got} found", path
    if missing := re.fullmatch(r"Object missing required field `(\w+)`", text):
        return f"{missing[1]} is missing", path
    return "a value that is out of range", path


_ESCAPE: Final = re.compile(
    rb"\\(?:u[dD][89abAB]..\\u[dD][c-fC-F]..|(?P<lone>u[dD][89a-fA-F]..)|.)", re.DOTALL
)


def _plain(body: bytes) -> bytes:
    """Without a byte-order mark; half characters, which no database keeps, become NUL.

    Left as they are, they would make the whole page unreadable; as NUL they cost their own
    record alone, and only where the text is one that is kept.
    """
    body = body.removeprefix(b"\xef\xbb\xbf")
    if b"\\ud" not in body and b"\\uD" not in body:
        return body
    return _ESCAPE.sub(lambda found: rb"\u0000" if found["lone"] else found[0], body)
