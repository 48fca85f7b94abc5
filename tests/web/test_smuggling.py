"""A request that could be read as another one is refused, and nothing behind it is read as a request."""

import re
import socket
from collections.abc import Iterator

import pytest

from tests.support.served import Served

NEXT = b"GET /next HTTP/1.1\r\nHost: localhost\r\nX-Ignore: "
"""What would be the next request if the end of the one before were seen too early."""

CHUNKED = b"0\r\n\r\n" + NEXT

HEADERS = [
    b"Content-Length: 5\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: chunked\r\nContent-Length: 5",
    b"Content-Length: 0\r\nTransfer-Encoding: chunked",
    b"Content-Length: 5\r\nContent-Length: 0",
    b"Content-Length: 0\r\nContent-Length: 5",
    b"Content-Length: 5\r\nContent-Length: 5",
    b"Content-Length: 5, 5",
    b"Content-Length: 0, 5",
    b"Content-Length: +5",
    b"Content-Length: -5",
    b"Content-Length: 0x5",
    b"Content-Length: 5 5",
    b"Content-Length: 5;",
    b"Content-Length: \x0b5",
    b"Content-Length: 5\x00",
    b"Content-Length : 5",
    b" Content-Length: 5",
    b"X: y\r\n Content-Length: 5",
    b"Content-Length:\r\n 5",
    b"X: y\nContent-Length: 5",
    b"X: y\rContent-Length: 5",
    b"Content_Length: 5\r\nTransfer-Encoding: xchunked",
    b"Transfer-Encoding: xchunked",
    b"Transfer-Encoding: chunked, identity",
    b"Transfer-Encoding: identity",
    b"Transfer-Encoding: chunked, chunked",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity",
    b"Transfer-Encoding : chunked",
    b" Transfer-Encoding: chunked",
    b"X: y\r\n Transfer-Encoding: chunked",
    b"Transfer-Encoding:\r\n chunked",
    b"Transfer-Encoding: \x0bchunked",
    b"Transfer-Encoding: chunked\x00",
    b'Transfer-Encoding: "chunked"',
    b"Transfer-Encoding: chunked;q=1",
    b"X: y\nTransfer-Encoding: chunked",
    b"X: y\rTransfer-Encoding: chunked",
]

BODIES = [
    b"0x0\r\n\r\n", b"+0\r\n\r\n", b"-1\r\n\r\n", b" 0\r\n\r\n", b"0\n\r\n", b"\r\n0\r\n\r\n",
    b"G\r\n\r\n", b"0_0\r\n\r\n", b"1\r\nab0\r\n\r\n", b"1\r\na\n0\r\n\r\n", b"ffffffffffffffff\r\n",
    b"0;\n\r\n\r\n", b"0;a=\x00\r\n\r\n", b"0\r\nX: y\n\r\n\r\n", b"0\r\nContent-Length: 5\r\n\r\n",
    b"0\r\nTransfer-Encoding: chunked\r\n\r\n", b"0\r\nX y\r\n\r\n",
]  # fmt: skip


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Provide the web server of the product with an application that answers every request."""
    env = {"TEST_APP": "tests.support.echo_app:application"}
    with Served(tmp_path_factory.mktemp("web"), env) as running:
        yield running


def answers(served: Served, request: bytes) -> list[bytes]:
    """Send a request on a connection of its own. Return the status of each response."""
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as client:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        received = b""
        while part := client.recv(65536):
            received += part
    return re.findall(rb"HTTP/1\.1 (\d{3}) ", received)


@pytest.mark.parametrize("headers", HEADERS)
def test_ambiguous_framing_is_refused(served: Served, headers: bytes) -> None:
    request = b"POST / HTTP/1.1\r\nHost: localhost\r\n" + headers + b"\r\n\r\n" + CHUNKED + b"\r\n\r\n"
    assert answers(served, request) in ([b"400"], [b"501"])


@pytest.mark.parametrize("body", BODIES)
def test_a_malformed_chunk_ends_the_connection(served: Served, body: bytes) -> None:
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    statuses = answers(served, head + body + NEXT + b"\r\n\r\n")
    assert len(statuses) <= 1
    assert statuses != [b"200"]


@pytest.mark.parametrize("version", [b"HTTP/1.0", b"HTTP/0.9", b"HTTP/2.0"])
def test_chunks_of_another_version_are_refused(served: Served, version: bytes) -> None:
    request = (
        b"POST / "
        + version
        + b"\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        + CHUNKED
        + b"\r\n\r\n"
    )
    assert answers(served, request) == [b"400"]


@pytest.mark.parametrize("body", [b"0" * 17 + b"\r\n\r\n", b"1" + b";a" * 4500 + b"\r\nb\r\n0\r\n\r\n"])
def test_an_odd_chunk_is_read_whole_or_ends_the_connection(served: Served, body: bytes) -> None:
    head = b"POST / HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    assert answers(served, head + body + NEXT + b"\r\n\r\n") in ([b"200"], [b"200", b"200"])


def test_a_whole_request_behind_another_is_one(served: Served) -> None:
    """The control: two valid requests have two responses."""
    one = b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 5\r\n\r\nhello"
    assert answers(served, one + NEXT + b"\r\n\r\n") == [b"200", b"200"]
