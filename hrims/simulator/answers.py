"""Responses of HRIMS without failures.

Input: a request as a ParsedRequest. Output: a page or a JSON object.
"""

import base64
import binascii
import struct
import zlib
from dataclasses import dataclass, field
from typing import Any

from hrims.simulator.population import Person, Population
from hrims.simulator.register import Institution
from hrims.simulator.request_parser import ParsedRequest

DOCUMENTS = {
    "2": "Ardhilhali",
    "3": "Mkataba wa Ajira",
    "4": "Cheti cha Kuzaliwa",
    "8": "Cheti cha Elimu",
    "23": "Comfirmationletter",  # HRIMS misspells it
}


@dataclass
class Page:
    """One page: its people, their JSON, and the fields of the envelope."""

    number: int
    overall: int
    people: list[Person]
    data: list[bytes] = field(default_factory=list)
    spare: bool = True

    def __post_init__(self) -> None:
        self.data = [person.encoded for person in self.people]

    def encoded(self) -> bytes:
        """Return the JSON of the whole page."""
        return b"%b%b]}" % (self.opening(), b", ".join(self.data))

    def opening(self) -> bytes:
        """Return the JSON before the first person."""
        status_fields = '"status": "Success", "message": "Imefanikiwa", ' if self.spare else ""
        number = f'"currentPage": {self.number}, ' if self.spare else ""
        sizes = f'"currentDataSize": {len(self.data)}, "overallDataSize": {self.overall}'
        return f'{{"code": 200, {status_fields}{number}{sizes}, "data": ['.encode()


def failure(code: int, message: str, description: str = "") -> dict[str, Any]:
    """Return the body of a failure that HRIMS sends with HTTP status 200."""
    body = {"code": code, "status": "Failure", "message": message}
    return body | {"description": description} if description else body


def find_institution(population: Population, request: ParsedRequest) -> Institution | None:
    """Return the institution that a request 204 or 205 names."""
    if request.operation == "204":
        return population.institution(vote=request.key)
    return population.institution(tin=request.key)


def build_page(population: Population, request: ParsedRequest, number: int | None = None) -> Page | None:
    """Return the page that a request 201, 204 or 205 names, or another page ``number``.

    Return None if the key is unknown.
    """
    at, size = number if number is not None else request.page or 0, request.size or 1
    if request.operation == "201":
        people, overall = population.page(population.all_numbers, at * size, size)
        return Page(at, overall, people)
    institution = find_institution(population, request)
    if institution is None:
        return None
    people, overall = population.page(lambda: population.listing(institution), at * size, size)
    return Page(at, overall, people)


def find_employee(population: Population, request: ParsedRequest) -> tuple[Person | None, dict[str, Any]]:
    """Return the person that a request 202, 203 or 206 names, and the response about that person."""
    person = _find(population, request)
    if person is None:
        return None, failure(404, "Employee not found")
    if request.operation == "202":
        return person, _success(data=person.read())
    if request.operation == "203":
        return person, _photo(person.number)
    return person, _documents(request.document)


def _find(population: Population, request: ParsedRequest) -> Person | None:
    number = population.find(request.key.strip())
    if number is None:
        return None
    person = population.person(number)
    info = person.read()["personalInfo"]
    known = [info.get(name) for name in ("zanIdNumber", "payrollNumber")]
    if request.operation != "202":
        known = known[1:]  # photos and documents are found by payroll number only
    return person if request.key.strip() in [str(value).strip() for value in known] else None


def _success(**body: Any) -> dict[str, Any]:
    return {"code": 200, "status": "Success", "message": "Imefanikiwa", **body}


def _photo(number: int) -> dict[str, Any]:
    """Return a photo in one of the five observed shapes.

    The photo of a person always has the same shape.
    """
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
    """Return a picture of one pixel in a colour that depends on the person's number."""
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
    """Return an empty PDF page."""
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
