"""What is no answer to the question, or says itself that it failed: each becomes its error."""

import json
from typing import Any

import pytest

from hrims.errors import (
    RemoteBadRequest,
    RemoteCredentials,
    RemoteError,
    RemoteFailed,
    RemoteGarbled,
    RemoteUnknown,
)
from hrims.remote.wire import decode_person
from tests.remote.answers import failure, page, person, read

# an answer that is not the page asked for

WRONG_FRAMES: dict[str, dict[str, Any]] = {
    "code null": {"code": None},
    "code that the contract lacks": {"code": 302},
    "data null": {"data": None},
    "data an object": {"data": {}},
    "data text": {"data": "[]"},
    "total null": {"overallDataSize": None},
    "total negative": {"overallDataSize": -1},
    "total not whole": {"overallDataSize": 1.5},
    "total true": {"overallDataSize": True},
    "total that cannot be": {"overallDataSize": 10**12},
    "total below what the page holds": {"overallDataSize": 0},
    "another page": {"currentPage": 1},
    "says less than it sends": {"currentDataSize": 0},
    "says more than it sends": {"currentDataSize": 2},
}


@pytest.mark.parametrize("frame", WRONG_FRAMES.values(), ids=list(WRONG_FRAMES))
@pytest.mark.parametrize("record", [person(), None], ids=["whole record", "broken record"])
def test_a_wrong_frame_is_garbled(frame: dict[str, Any], record: Any) -> None:
    with pytest.raises(RemoteGarbled):
        read(page(record, **frame))


@pytest.mark.parametrize("absent", ["code", "overallDataSize", "data"])
def test_a_frame_that_lacks_something_is_garbled(absent: str) -> None:
    answer = json.loads(page(person()))
    del answer[absent]
    with pytest.raises(RemoteGarbled, match=f"{absent} is missing"):
        read(json.dumps(answer).encode())


def test_more_records_than_asked_for_are_garbled() -> None:
    with pytest.raises(RemoteGarbled, match="11 records where at most 10 fit"):
        read(page(*[person()] * 11))


def test_100_000_records_are_garbled() -> None:
    with pytest.raises(RemoteGarbled, match="100000 records"):
        read(page(*[{}] * 100_000))


NOT_JSON = {
    "nothing": b"",
    "spaces": b"  \n",
    "half": page(person())[:-20],
    "junk behind": page(person()) + b"x",
    "two answers": page() + page(),
    "a list": b"[]",
    "null": b"null",
    "a number": b"5",
    "words": b"Service Unavailable",
    "binary": bytes(range(256)),
    "utf-16": page(person()).decode().encode("utf-16"),
    "deep and open": b"[" * 1_000_000,
    "deep objects and open": b'{"a":' * 1_000_000,
    "more brackets than any page": page().replace(b'"ok"', b"[0," * 600_000 + b"0" + b"]" * 600_000),
    "more entries than any page": page().replace(b'"data":[]', b'"data":[' + b"1," * 600_000 + b"1]"),
    "an open text": page().replace(b'"ok"', b'"' + b"x" * 1_000_000),
    "brackets of two kinds": page().replace(b'"ok"', b"[}"),
    "no comma between two records": page(person(), person()).replace(b"},{", b"}{"),
    "a huge total": page(overallDataSize=7).replace(b":7", b":" + b"7" * 10_000),
    "a huge code": page().replace(b'"code":200', b'"code":' + b"2" * 10_000),
}


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=list(NOT_JSON))
@pytest.mark.parametrize("decode", [read, decode_person])
def test_an_invalid_response_is_garbled(decode: Any, body: bytes) -> None:
    with pytest.raises(RemoteGarbled):
        decode(body)


def test_a_web_page_is_named_as_one() -> None:
    with pytest.raises(RemoteGarbled, match="web page"):
        read(b"<!DOCTYPE html><html><body>Bad gateway, Siri</body></html>")


# an answer that says itself that it failed


@pytest.mark.parametrize(
    ("code", "error", "is_retryable"),
    [
        (500, RemoteFailed, True),
        (503, RemoteFailed, True),
        (429, RemoteFailed, True),
        (400, RemoteBadRequest, False),
        (401, RemoteCredentials, False),
        (403, RemoteCredentials, False),
        (404, RemoteUnknown, False),
    ],
)
@pytest.mark.parametrize("data", [{}, {"data": None}, {"data": "x"}, {"data": []}, {"currentPage": "?"}])
def test_the_code_of_a_failing_body_decides(
    code: int, error: type[RemoteError], is_retryable: bool, data: dict[str, Any]
) -> None:
    with pytest.raises(error) as failed:
        read(failure(code, description="Timeout: Siri", **data))
    assert failed.value.is_retryable is is_retryable
    assert "Siri" not in str(failed.value)
    with pytest.raises(error):
        decode_person(failure(code, **data))


def test_a_timeout_of_the_remote_is_reported() -> None:
    with pytest.raises(RemoteFailed, match="ran out of time"):
        read(failure(500, description="Timeout: the operation took too long"))


def test_a_failure_under_code_200_is_no_empty_page() -> None:
    with pytest.raises(RemoteFailed):
        read(failure(200, data=[], overallDataSize=0))
