"""Requests to the simulator as a client sends them. Input: an operation and a page. Output: the response."""

from typing import Any

import httpx

from tests.support.simulated import Simulator


def send(simulator: Simulator, operation: str = "204", **given: Any) -> httpx.Response:
    """Return one question: ``key``, ``page`` and ``size``, or ``body``; ``headers``, ``timeout``."""
    seconds = given.pop("timeout", 20)
    headers = given.pop("headers", {"ApiKey": "k", "Token": "t"})
    body = given.pop("body", None) or request_body(operation, **given)
    return simulator.http.post("/Employees", json=body, headers=headers, timeout=seconds)


def request_body(
    operation: str = "204", *, key: str = "001", page: int = 0, size: int = 10
) -> dict[str, Any]:
    """Return the JSON of a paged question."""
    payload = {"PageNumber": page, "PageSize": size, "RequestBody": key}
    return {"RequestId": operation, "RequestPayloadData": payload}


def ids(response: httpx.Response) -> list[str]:
    """Return the ZanIDs of a page, in order."""
    people = response.json()["data"]
    return [str(person["personalInfo"].get("zanIdNumber") or "").strip() for person in people]
