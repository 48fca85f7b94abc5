"""What HRIMS answers when nothing goes wrong: an Ask in, a page or an object out."""

import base64
import binascii
import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

from hrims.simulator.asking import Ask
from hrims.simulator.country import Country, Person
from hrims.simulator.register import Institution

DOCUMENTS = {
    "2": "Ardhilhali",
    "3": "Mkataba wa Ajira",
    "4": "Cheti cha Kuzaliwa",
    "8": "Cheti cha Elimu",
    "23": "Comfirmationletter",  # HRIMS misspells it
}


@dataclass
class Page:
    """One page: its people and their JSON, and what stands above them."""

    number: int
    overall: int
    people: list[Person]
    data: list[bytes] = field(default_factory=list)
    spare: bool = True

    def __post_init__(self) -> None:
        self.data = [person.encoded for person in self.people]

    def encoded(self) -> bytes:
        """The JSON of the whole page."""
        return b"%b%b]}" % (self.opening(), b", ".join(self.data))

    def opening(self) -> bytes:
        """All of the JSON that stands before the first person."""
        said = '"status": "Success", "message": "Imefanikiwa", ' if self.spare else ""
        number = f'"currentPage": {self.number}, ' if self.spare else ""
        sizes = f'"currentDataSize": {len(self.data)}, "overallDataSize": {self.overall}'
        return f'{{"code": 200, {said}{number}{sizes}, "data": ['.encode()


def failure(code: int, message: str, description: str = "") -> dict[str, Any]:
    """A body that says so while HTTP says 200."""
    body = {"code": code, "status": "Failure", "message": message}
    return body | {"description": description} if description else body


def listed(country: Country, ask: Ask) -> Institution | None:
    """The institution that 204 or 205 asks for."""
    if ask.operation == "204":
        return country.institution(vote=ask.key)
    return country.institution(tin=ask.key)


def page(country: Country, ask: Ask, number: int | None = None) -> Page | None:
    """The page that 201, 204 or 205 asks for (or another ``number``); None for an unknown key."""
    at, size = number if number is not None else ask.page or 0, ask.size or 1
    if ask.operation == "201":
        people, overall = country.page(country.everybody, at * size, size)
        return Page(at, overall, people)
    institution = listed(country, ask)
    if institution is None:
        return None
    people, overall = country.page(lambda: country.listing(institution), at * size, size)
    return Page(at, overall, people)


def one(country: Country, ask: Ask) -> tuple[Person | None, dict[str, Any]]:
    """The person that 202, 203 or 206 asks for, and the answer about them."""
    person = _find(country, ask)
    if person is None:
        return None, failure(404, "Employee not found")
    if ask.operation == "202":
        return person, _success(data=person.read())
    if ask.operation == "203":
        return person, _photo(person.number)
    return person, _documents(ask.document)


def _find(country: Country, ask: Ask) -> Person | None:
    number = country.find(ask.key.strip())
    if number is None:
        return None
    person = country.person(number)
    info = person.read()["personalInfo"]
    known = [info.get(name) for name in ("zanIdNumber", "payrollNumber")]
    if ask.operation != "202":
        known = known[1:]  # photos and documents are asked for by payroll number alone
    return person if ask.key.strip() in [str(one).strip() for one in known] else None


def _success(**body: Any) -> dict[str, Any]:
    return {"code": 200, "status": "Success", "message": "Imefanikiwa", **body}


def _photo(number: int) -> dict[str, Any]:
    """The five shapes in which photos have been seen; a person's photo keeps its shape."""
    picture = base64.b64encode(_png(number)).decode()
    shapes: list[dict[str, Any]] = [
        {"data": picture},
        {"data": {"Picture": picture}},
        {"photo": {"content": f"data:image/png;base64,{picture}"}},
        {"data": {"photo": {"content": picture}}},
        {"Picture": picture},
    ]
    return _success(**shapes[number % len(shapes)])


def _png(number: int) -> bytes:
    """A picture of one pixel, in a colour of this person's own."""
    pixel = bytes([0, number % 251, number // 251 % 251, 128])
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(pixel)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", binascii.crc32(name + body))
        for name, body in parts
    )


def _documents(document: str) -> dict[str, Any]:
    if document not in DOCUMENTS:
        return failure(400, "Unknown document type")
    content = base64.b64encode(_pdf()).decode()
    kind = DOCUMENTS[document]
    return _success(data=[{"attachmentType": kind, "attachmentContent": content}])


def _pdf() -> bytes:
    """An empty page."""
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>",
    ]
    body, starts = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, 1):
        starts.append(len(body))
        body += b"%d 0 obj\n%b\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % start for start in starts)
    head = b"xref\n0 4\n0000000000 65535 f \n"
    end = b"trailer << /Size 4 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(body)
    return body + head + table + end
