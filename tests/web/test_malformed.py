"""Requests that are not valid HTTP, which no view sees, get an error in the shape of the API."""

import http.client
import json
import re
import socket
from collections.abc import Iterator

import pytest

from tests.support.databases import clone
from tests.support.served import Served

SECRET = "hrims_t0ken"
"""What no response and no line of the log may repeat."""

HEAD = f"Host: a\r\nAuthorization: Bearer {SECRET}\r\n"

MANY = "X-Many: 1\r\n" * 101

MALFORMED = {
    "two content types": (f"POST /api HTTP/1.1\r\n{HEAD}Content-Type: a/b\r\nContent-Type: a/c\r\n\r\n", 400),
    "two lengths": (f"POST /api HTTP/1.1\r\n{HEAD}Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
    "no request line": (f"{SECRET}\r\n{HEAD}\r\n", 400),
    "a method that is none": (f"G@T /{SECRET} HTTP/1.1\r\n{HEAD}\r\n", 400),
    "a version that is none": (f"GET / HTTP/{SECRET}\r\n{HEAD}\r\n", 400),
    "a header name that is none": (f"GET / HTTP/1.1\r\n{HEAD}a b {SECRET}: c\r\n\r\n", 400),
    "a header over two lines": (f"GET / HTTP/1.1\r\n{HEAD}X-A: b\r\n {SECRET}\r\n\r\n", 400),
    "a long URL": (f"GET /{SECRET}{'x' * 5000} HTTP/1.1\r\n{HEAD}\r\n", 414),
    "a long header": (f"GET / HTTP/1.1\r\n{HEAD}X-Long: {'x' * 9000}\r\n\r\n", 431),
    "many headers": (f"GET / HTTP/1.1\r\n{HEAD}{MANY}\r\n", 431),
    "an unknown expectation": (f"POST /api HTTP/1.1\r\n{HEAD}Expect: {SECRET}\r\n\r\n", 417),
    "an unknown coding": (f"POST /api HTTP/1.1\r\n{HEAD}Transfer-Encoding: {SECRET}\r\n\r\n", 501),
}  # fmt: skip

CODES = {
    400: "bad_request", 414: "url_too_long", 417: "bad_expectation", 431: "headers_too_large",
    501: "unknown_coding",
}  # fmt: skip


@pytest.fixture(scope="module")
def served(
    server_dsn: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """Provide the real web process."""
    with clone(server_dsn, template_database) as dsn:
        folder = tmp_path_factory.mktemp("web")
        with Served(folder, {"HRIMS_WEB_THREADS": "4", "HRIMS_MAX_STREAMS": "2", "DATABASE_URL": dsn}) as run:
            yield run
            assert "Traceback" not in run.log.read_text()
            assert SECRET not in run.log.read_text()


@pytest.mark.parametrize(("request_", "status"), MALFORMED.values(), ids=MALFORMED.keys())
def test_a_malformed_request_gets_an_error_of_the_api(served: Served, request_: str, status: int) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=60) as caller:
        caller.sendall(request_.encode())
        answer = http.client.HTTPResponse(caller)
        answer.begin()
        content = answer.read()
        assert caller.recv(1) == b"", "the connection is closed"
    assert (answer.status, answer.headers["Content-Type"]) == (status, "application/json")
    body = json.loads(content)
    assert list(body) == ["code", "message", "requestId", "success"]
    assert (body["success"], body["code"]) == (False, CODES[status])
    assert body["message"].endswith(". Nothing was changed.")
    assert body["requestId"] == answer.headers["X-Request-Id"]
    assert SECRET not in content.decode()
    [line] = [line for line in served.log.read_text().splitlines() if body["requestId"] in line]
    assert re.search(rf"request_malformed .*status={status}\b", line)
