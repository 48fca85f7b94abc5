"""What a client asked for: the body of a request in, an Ask out, or BadAsk in HRIMS' own words."""

import json
from dataclasses import dataclass
from typing import Any

LARGEST_PAGE = 1000
"""More people a page than this is a bad request."""

PAGED = {"201", "204", "205"}


class BadAsk(Exception):
    """HRIMS answers code 400, with these words."""


@dataclass(frozen=True)
class Ask:
    """``key`` is the vote code, TIN, payroll number or ZanID; ``document`` a document type code."""

    operation: str
    key: str = ""
    page: int | None = None
    size: int | None = None
    document: str = ""


def read(body: bytes) -> Ask:
    """The Ask in a request's body. Raises BadAsk."""
    try:
        given = json.loads(body)
    except ValueError:
        raise BadAsk("The request body is not JSON") from None
    if not isinstance(given, dict):
        raise BadAsk("The request body is not an object")
    operation = given.get("RequestId")
    if operation not in ("201", "202", "203", "204", "205", "206"):
        raise BadAsk("RequestId is missing or unknown")
    return _ask(operation, given)


def _ask(operation: str, given: dict[str, Any]) -> Ask:
    if operation == "203":
        return Ask(operation, _text(given, "SearchCriteria"))
    payload = given.get("RequestPayloadData")
    if not isinstance(payload, dict):
        raise BadAsk("RequestPayloadData is missing")
    if operation == "202":
        return Ask(operation, _text(payload, "RequestBody"))
    if operation == "206":
        document = _text(payload, "RequestBody")
        return Ask(operation, _text(given, "SearchCriteria"), document=document)
    key = "" if operation == "201" else _text(payload, "RequestBody")
    page = _whole(payload, "PageNumber", 0, 10**9)
    return Ask(operation, key, page, _whole(payload, "PageSize", 1, LARGEST_PAGE))


def _text(given: dict[str, Any], name: str) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not value.strip():
        raise BadAsk(f"{name} is missing")
    return value


def _whole(given: dict[str, Any], name: str, low: int, high: int) -> int:
    value = given.get(name)
    if type(value) is not int or not low <= value <= high:
        raise BadAsk(f"{name} must be a whole number from {low} to {high}")
    return value
