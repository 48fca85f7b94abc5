"""Parser of requests.

Input: the body of a request. Output: a ParsedRequest, or BadRequest with HRIMS's own message.
"""

import json
from dataclasses import dataclass
from typing import Any

LARGEST_PAGE = 1000
"""Maximum page size; a larger one is a bad request."""

PAGED = {"201", "204", "205"}


class BadRequest(Exception):
    """A bad request: HRIMS responds with code 400 and this message."""


@dataclass(frozen=True)
class ParsedRequest:
    """A parsed request.

    ``key`` is the vote code, TIN, payroll number or ZanID; ``document`` is a document type code.
    """

    operation: str
    key: str = ""
    page: int | None = None
    size: int | None = None
    document: str = ""


def read(body: bytes) -> ParsedRequest:
    """Return the ParsedRequest in a request's body. Raises BadRequest."""
    try:
        given = json.loads(body)
    except ValueError:
        raise BadRequest("The request body is not JSON") from None
    if not isinstance(given, dict):
        raise BadRequest("The request body is not an object")
    operation = given.get("RequestId")
    if operation not in ("201", "202", "203", "204", "205", "206"):
        raise BadRequest("RequestId is missing or unknown")
    return _ask(operation, given)


def _ask(operation: str, given: dict[str, Any]) -> ParsedRequest:
    if operation == "203":
        return ParsedRequest(operation, _text(given, "SearchCriteria"))
    payload = given.get("RequestPayloadData")
    if not isinstance(payload, dict):
        raise BadRequest("RequestPayloadData is missing")
    if operation == "202":
        return ParsedRequest(operation, _text(payload, "RequestBody"))
    if operation == "206":
        document = _text(payload, "RequestBody")
        return ParsedRequest(operation, _text(given, "SearchCriteria"), document=document)
    key = "" if operation == "201" else _text(payload, "RequestBody")
    page = _whole(payload, "PageNumber", 0, 10**9)
    return ParsedRequest(operation, key, page, _whole(payload, "PageSize", 1, LARGEST_PAGE))


def _text(given: dict[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value.strip():
        raise BadRequest(f"{name} is missing")
    return value


def _whole(given: dict[str, Any], name: str, low: int, high: int) -> int:
    value = given.get(name)
    if type(value) is not int or not low <= value <= high:
        raise BadRequest(f"{name} must be a whole number from {low} to {high}")
    return value
