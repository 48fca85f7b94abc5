"""Clients that never finish their requests do not keep others out."""

import contextlib
import socket
from collections.abc import Iterator

import httpx
import pytest

from tests.support.databases import clone
from tests.support.served import Served

HALF_REQUESTS = {
    "headers": b"GET / HTTP/1.1\r\nHost: a\r\nX-",
    "body": b"POST /sign-in HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhello",
    "chunks": b"POST /api/hrims/any HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
}

MANY = 5
"""One more than there are threads."""


@pytest.fixture(scope="module")
def served(
    server_dsn: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """Provide the real web process, with few threads."""
    few = {"HRIMS_WEB_THREADS": "4", "HRIMS_MAX_STREAMS": "2"}
    with clone(server_dsn, template_database) as dsn:
        folder = tmp_path_factory.mktemp("web")
        with Served(folder, {**few, "DATABASE_URL": dsn}, heartbeat=60) as running:
            yield running
            assert "Traceback" not in running.log.read_text()


@pytest.mark.parametrize("half", HALF_REQUESTS.values(), ids=HALF_REQUESTS.keys())
def test_others_are_answered_after_a_while(served: Served, half: bytes) -> None:
    with contextlib.ExitStack() as open_:
        for _ in range(MANY):
            slow = open_.enter_context(socket.create_connection(("127.0.0.1", served.port)))
            slow.sendall(half)
        assert httpx.get(f"{served.url}/healthz", timeout=90, trust_env=False).status_code == 200


def test_a_garbled_chunk_is_the_callers_fault(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port)) as caller:
        caller.sendall(HALF_REQUESTS["chunks"] + b"zz\r\nhello\r\n")
        assert b" 400 " in caller.recv(100)
