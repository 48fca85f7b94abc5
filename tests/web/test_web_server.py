"""The web server: which bytes it reads as one request, and when a connection is used again."""

import hashlib
import http.client
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.support.echo_app import LARGE
from tests.support.served import Served

HEAD = b"Host: localhost\r\n"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Provide the web server of the product with an application that describes what it got."""
    env = {"TEST_APP": "tests.support.echo_app:application", "HRIMS_MAX_BODY_KB": "100"}
    with Served(tmp_path_factory.mktemp("web"), env) as running:
        yield running
        assert "Traceback" not in running.log.read_text()


@pytest.fixture
def client(served: Served) -> Iterator[socket.socket]:
    """Provide a connection."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as connected:
        yield connected


class Answer(NamedTuple):
    """A response."""

    status: int
    connection: str | None
    body: bytes


def read(client: socket.socket, method: str = "GET") -> Answer:
    """Read one response."""
    answer = http.client.HTTPResponse(client, method=method)
    # Without a buffer: what follows on the connection is the next response.
    answer.fp = client.makefile("rb", buffering=0)  # type: ignore[assignment] # a raw stream reads as well
    answer.begin()
    body = b""
    while not answer.isclosed() and (part := answer.read(65536)):
        body += part
    return Answer(answer.status, answer.headers["Connection"], body)


def described(body: bytes) -> bytes:
    """Return how the application describes a body."""
    return f"http {len(body)} {hashlib.sha256(body).hexdigest()}".encode()


def post(body: bytes, path: str = "/", headers: bytes = b"") -> bytes:
    """Return a request."""
    return b"POST %b HTTP/1.1\r\n%b%bContent-Length: %d\r\n\r\n%b" % (
        path.encode(),
        HEAD,
        headers,
        len(body),
        body,
    )


def is_closed(client: socket.socket) -> bool:
    """Return whether the server closes the connection now."""
    return client.recv(1) == b""


@pytest.mark.parametrize("size", [0, 1, 8192, 65536, 102_400])
def test_a_connection_is_used_again_after_a_body_of_any_size(client: socket.socket, size: int) -> None:
    for _ in range(3):
        client.sendall(post(b"a" * size))
        answer = read(client)
        assert (answer.status, answer.connection) == (200, "keep-alive")
        assert answer.body == described(b"a" * size)


def test_requests_that_arrive_together_are_answered_in_order(client: socket.socket) -> None:
    chunked = (
        b"POST / HTTP/1.1\r\n"
        + HEAD
        + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1;x=y\r\nd\r\n0\r\nX: y\r\n\r\n"
    )
    client.sendall(post(b"one") + chunked + b"GET / HTTP/1.1\r\n" + HEAD + b"\r\n" + post(b"four"))
    assert [read(client).body for _ in range(4)] == [
        described(body) for body in (b"one", b"abcd", b"", b"four")
    ]


def test_a_client_that_waits_is_told_to_continue(client: socket.socket) -> None:
    request = post(b"hello", headers=b"Expect: 100-continue\r\n")
    client.sendall(request[:-5])
    assert client.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
    client.sendall(request[-5:])
    assert read(client).body == described(b"hello")
    client.sendall(request)
    assert read(client).status == 200


@pytest.mark.parametrize("size", [1, 60_000, 102_400])
def test_the_connection_ends_if_the_application_leaves_a_body_unread(
    client: socket.socket, size: int
) -> None:
    client.sendall(post(b"a" * size, "/unread") + post(b"smuggled"))
    answer = read(client)
    assert (answer.status, answer.connection) == (401, "close")
    assert is_closed(client)


def test_the_connection_stays_if_there_was_no_body(client: socket.socket) -> None:
    client.sendall(post(b"", "/unread"))
    assert read(client).connection == "keep-alive"


@pytest.mark.parametrize("expect", [b"", b"Expect: 100-continue\r\n"])
def test_a_body_that_is_too_large_is_not_read(client: socket.socket, expect: bytes) -> None:
    client.sendall(b"POST /unread HTTP/1.1\r\n" + HEAD + expect + b"Content-Length: 102401\r\n\r\n")
    answer = read(client)
    assert (answer.status, answer.connection) == (401, "close")
    client.sendall(b"a" * 1000)
    assert is_closed(client)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_large_response_arrives_whole(client: socket.socket, method: str) -> None:
    client.sendall(f"{method} /large HTTP/1.1\r\nHost: a\r\n\r\n".encode() + post(b"next"))
    assert len(read(client, method).body) == (LARGE if method == "GET" else 0)
    assert read(client).body == described(b"next")


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_a_client_may_end_the_connection(client: socket.socket, version: str) -> None:
    client.sendall(f"GET / HTTP/{version}\r\nHost: a\r\nConnection: close\r\n\r\n".encode())
    assert read(client).connection == "close"
    assert is_closed(client)


def test_no_header_changes_the_scheme_or_the_path(client: socket.socket) -> None:
    spoofed = b"X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: on\r\nSCRIPT_NAME: /x\r\nPATH_INFO: /unread\r\n"
    client.sendall(post(b"", headers=spoofed))
    assert read(client).body == described(b"")


def test_a_stop_waits_for_the_requests_in_progress_and_closes_idle_connections(tmp_path: Path) -> None:
    env = {"TEST_APP": "tests.support.echo_app:application", "TEST_GRACE": "20"}
    with Served(tmp_path, env) as web, ExitStack() as stack:
        idle, busy = (
            stack.enter_context(socket.create_connection(("127.0.0.1", web.port), timeout=30))
            for _ in range(2)
        )
        for connected in (idle, busy):
            connected.sendall(post(b"before"))
            assert read(connected).connection == "keep-alive"
        request = post(b"a" * 1000, "/slow", b"Expect: 100-continue\r\n")
        busy.sendall(request[:-1000])
        assert busy.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        busy.sendall(request[-1000:])
        web.process.terminate()
        answer = read(busy)
        assert (answer.status, answer.body) == (200, described(b"a" * 1000))
        assert is_closed(busy)
        assert is_closed(idle)
        assert web.process.wait(20) == 0


@pytest.mark.parametrize("head", [b"X: y\r\n" * 12_000, b"X-Long: " + b"y" * 70_000])
def test_headers_that_do_not_end_are_refused(client: socket.socket, head: bytes) -> None:
    client.sendall(b"GET / HTTP/1.1\r\n" + head)
    assert read(client).status == 431
    assert is_closed(client)
