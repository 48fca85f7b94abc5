"""Asking HRIMS over HTTP: what is sent, and what every answer becomes."""

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from hrims.errors import (
    RemoteBadRequest,
    RemoteCredentials,
    RemoteError,
    RemoteFailed,
    RemoteGarbled,
    RemoteTooLarge,
    RemoteUnknown,
)
from hrims.remote.client import Remote
from hrims.remote.wire import Person
from tests.remote.answers import failure, page, person
from tests.remote.servers import API_KEY, TOKEN, answer

Connect = Callable[..., Remote]


def asked(server: HTTPServer) -> Any:
    return json.loads(server.log[-1][0].data)


async def test_it_works(httpserver: HTTPServer, connect: Connect) -> None:
    remote = connect(answer(httpserver, page(person(), overallDataSize=6408)))
    received = await remote.page("votecode", "037", 0, 100)
    assert (received.number, received.size, received.total, len(received.records)) == (0, 100, 6408, 1)
    assert asked(httpserver) == {
        "RequestId": "204",
        "RequestPayloadData": {"PageNumber": 0, "PageSize": 100, "RequestBody": "037"},
    }
    headers = httpserver.log[-1][0].headers
    assert (headers["ApiKey"], headers["Token"]) == (API_KEY, TOKEN)
    assert headers["Content-Type"] == "application/json"


async def test_a_tin_is_requested_as_a_tin(httpserver: HTTPServer, connect: Connect) -> None:
    remote = connect(answer(httpserver, page(currentPage=2, overallDataSize=7)))
    assert (await remote.page("tin", "001234567", 2, 3)).total == 7
    assert asked(httpserver) == {
        "RequestId": "205",
        "RequestPayloadData": {"PageNumber": 2, "PageSize": 3, "RequestBody": "001234567"},
    }


async def test_all_employees_are_requested(httpserver: HTTPServer, connect: Connect) -> None:
    remote = connect(answer(httpserver, page(person())))
    assert len((await remote.all_employees(0, 50)).records) == 1
    assert asked(httpserver) == {
        "RequestId": "201",
        "RequestPayloadData": {"PageNumber": 0, "PageSize": 50},
    }


async def test_one_person_is_asked_for(httpserver: HTTPServer, connect: Connect) -> None:
    body = json.dumps({"code": 200, "data": person("580330000")}).encode()
    remote = connect(answer(httpserver, body))
    assert isinstance(await remote.person("580330000"), Person)
    assert asked(httpserver) == {
        "RequestId": "202",
        "RequestPayloadData": {"RequestBody": "580330000"},
    }


async def test_a_slash_behind_the_address_is_no_harm(httpserver: HTTPServer, connect: Connect) -> None:
    remote = connect(answer(httpserver, page()) + "/")
    assert (await remote.all_employees(0, 5)).total == 0


@pytest.mark.parametrize("status", [200, 503])
@pytest.mark.parametrize(
    "header", [f"Mon, 23 Nov {'9' * 30} 12:00:00 GMT", "Fri, 31 Dec 9999 23:59:59 -1400", "-5", "9" * 400]
)
async def test_an_absurd_retry_after_is_a_failure_like_others(
    httpserver: HTTPServer, connect: Connect, header: str, status: int
) -> None:
    remote = connect(answer(httpserver, failure(500), status, Retry_After=header))
    with pytest.raises(RemoteFailed) as failed:
        await remote.all_employees(0, 5)
    assert 0 <= (failed.value.retry_after or 0) <= 300


async def test_a_compressed_answer_is_read(httpserver: HTTPServer, connect: Connect) -> None:
    body = gzip.compress(page(person()))
    remote = connect(answer(httpserver, body, Content_Encoding="gzip"))
    assert len((await remote.all_employees(0, 5)).records) == 1
    assert httpserver.log[-1][0].headers["Accept-Encoding"] == "gzip"


@pytest.mark.parametrize(
    ("status", "body", "error", "message"),
    [
        (401, b"", RemoteCredentials, "HRIMS_API_KEY"),
        (403, b"<html>", RemoteCredentials, "HRIMS_TOKEN"),
        (500, b"boom", RemoteFailed, "HTTP 500"),
        (502, b"<html>", RemoteFailed, "HTTP 502"),
        (503, failure(404), RemoteFailed, "HTTP 503"),
        (429, b"", RemoteFailed, "HTTP 429"),
        (408, b"", RemoteFailed, "HTTP 408"),
        (400, b"", RemoteBadRequest, "HTTP 400"),
        (400, failure(400), RemoteBadRequest, "code 400"),
        (400, failure(500), RemoteFailed, "code 500"),
        (404, failure(404), RemoteUnknown, "does not know"),
        (404, b"<html>nginx</html>", RemoteBadRequest, "HRIMS_BASE_URL"),
        (404, page(person()), RemoteBadRequest, "HRIMS_BASE_URL"),
        (405, b"", RemoteBadRequest, "HTTP 405"),
        (413, b"", RemoteTooLarge, "HTTP 413"),
        (413, b"<html>nginx</html>", RemoteTooLarge, "as large as was asked for"),
        (200, failure(413), RemoteTooLarge, "code 413"),
        (200, failure(401), RemoteCredentials, "HRIMS_API_KEY"),
        (200, failure(404), RemoteUnknown, "does not know"),
        (200, failure(400), RemoteBadRequest, "code 400"),
        (200, failure(500), RemoteFailed, "code 500"),
        (200, b"<html>login</html>", RemoteGarbled, "web page"),
        (200, page(person())[:-9], RemoteGarbled, "not whole JSON"),
        (204, b"", RemoteGarbled, "not whole JSON"),
    ],
)
async def test_classification_of_responses(
    httpserver: HTTPServer,
    connect: Connect,
    *,
    status: int,
    body: bytes,
    error: type[RemoteError],
    message: str,
) -> None:
    remote = connect(answer(httpserver, body, status))
    with pytest.raises(error, match=message):
        await remote.page("votecode", "037", 0, 100)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308, 304])
async def test_a_redirect_is_not_followed(httpserver: HTTPServer, connect: Connect, status: int) -> None:
    httpserver.expect_request("/elsewhere").respond_with_data(page(person()))
    elsewhere = httpserver.url_for("/elsewhere")
    remote = connect(answer(httpserver, b"", status, Location=elsewhere))
    with pytest.raises(RemoteGarbled, match="redirect"):
        await remote.all_employees(0, 5)
    assert [request.path for request, _ in httpserver.log] == ["/api/Employees"]


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        (" 120 ", 120.0),
        ("0", 0.0),
        ("soon", None),
        ("-5", None),
        ("", None),
        ("1.5", None),
    ],
)
@pytest.mark.parametrize(("status", "body"), [(503, b""), (429, b""), (200, failure(500))])
async def test_seconds_to_wait_are_heard(
    httpserver: HTTPServer,
    connect: Connect,
    *,
    status: int,
    body: bytes,
    header: str,
    seconds: float | None,
) -> None:
    remote = connect(answer(httpserver, body, status, Retry_After=header))
    with pytest.raises(RemoteFailed) as failed:
        await remote.all_employees(0, 5)
    assert failed.value.retry_after == seconds


@pytest.mark.parametrize(("minutes", "least", "longest"), [(4, 180, 240), (60, 300, 300), (-60, 0, 0)])
async def test_a_date_to_wait_for_is_heard(
    httpserver: HTTPServer, connect: Connect, minutes: int, least: float, longest: float
) -> None:
    then = format_datetime(datetime.now(UTC) + timedelta(minutes=minutes), usegmt=True)
    remote = connect(answer(httpserver, b"", 503, Retry_After=then))
    with pytest.raises(RemoteFailed) as failed:
        await remote.all_employees(0, 5)
    assert failed.value.retry_after is not None
    assert least <= failed.value.retry_after <= longest


async def test_a_page_with_a_retry_after_is_a_page(httpserver: HTTPServer, connect: Connect) -> None:
    remote = connect(answer(httpserver, page(person()), Retry_After="5"))
    assert len((await remote.all_employees(0, 5)).records) == 1


# the probe


@pytest.mark.parametrize(
    "body", [failure(404), failure(400), json.dumps({"code": 200, "data": person()}).encode()]
)
async def test_the_probe_is_content(httpserver: HTTPServer, connect: Connect, body: bytes) -> None:
    await connect(answer(httpserver, body)).check()
    assert asked(httpserver)["RequestId"] == "202"


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, b"", RemoteCredentials),
        (200, failure(403), RemoteCredentials),
        (404, b"not here", RemoteBadRequest),
        (400, b"", RemoteBadRequest),
        (200, failure(500), RemoteFailed),
        (200, b"<html>", RemoteGarbled),
    ],
)
async def test_the_probe_complains(
    httpserver: HTTPServer, connect: Connect, status: int, body: bytes, error: type[RemoteError]
) -> None:
    with pytest.raises(error):
        await connect(answer(httpserver, body, status)).check()
