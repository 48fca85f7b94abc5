"""The simulator of each test here, and questions as a client puts them."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.support.simulated import Simulator


def ask(simulator: Simulator, operation: str = "204", **given: Any) -> httpx.Response:
    """Return one question: ``key``, ``page`` and ``size``, or ``body``; ``headers``, ``timeout``."""
    seconds = given.pop("timeout", 20)
    headers = given.pop("headers", {"ApiKey": "k", "Token": "t"})
    body = given.pop("body", None) or question(operation, **given)
    return simulator.http.post("/Employees", json=body, headers=headers, timeout=seconds)


def question(operation: str = "204", *, key: str = "001", page: int = 0, size: int = 10) -> dict[str, Any]:
    """Return the JSON of a paged question."""
    payload = {"PageNumber": page, "PageSize": size, "RequestBody": key}
    return {"RequestId": operation, "RequestPayloadData": payload}


def ids(response: httpx.Response) -> list[str]:
    """Return the ZanIDs of a page, in order."""
    people = response.json()["data"]
    return [str(person["personalInfo"].get("zanIdNumber") or "").strip() for person in people]


@pytest.fixture(scope="module")
def country() -> Iterator[Simulator]:
    """Provide one simulator of the whole register for tests that change nothing."""
    with Simulator() as running:
        yield running


@pytest.fixture(scope="module")
def small() -> Iterator[Simulator]:
    """Provide one simulator for tests that reset it themselves."""
    with Simulator(sizes={"001": 250}) as running:
        yield running


@pytest.fixture
def changing() -> Iterator[Simulator]:
    """Provide a simulator whose people a test changes."""
    with Simulator(sizes={"037": 400}) as running:
        yield running


@pytest.fixture
def fresh(small: Simulator) -> Simulator:
    """Return the small simulator, behaving as at its start, with counters at nought."""
    small.reset()
    return small
