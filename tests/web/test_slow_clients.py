"""Clients that never finish their requests do not keep others out."""

import contextlib
import socket
from pathlib import Path

import httpx
import pytest

from tests.served import Served

HALF_REQUESTS = {
    "headers": b"GET / HTTP/1.1\r\nHost: a\r\nX-",
    "body": b"POST /sign-in HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhello",
    "chunks": b"POST /api/hrims/any HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
}

MANY = 5
"""One more than there are threads."""


@pytest.mark.parametrize("half", HALF_REQUESTS.values(), ids=HALF_REQUESTS.keys())
def test_others_are_answered_after_a_while(dsn: str, tmp_path: Path, half: bytes) -> None:
    few = {"HRIMS_WEB_THREADS": "4", "HRIMS_MAX_STREAMS": "2", "DATABASE_URL": dsn}
    with contextlib.ExitStack() as open_, Served(tmp_path, few) as served:
        for _ in range(MANY):
            slow = open_.enter_context(socket.create_connection(("127.0.0.1", served.port)))
            slow.sendall(half)
        assert httpx.get(f"{served.url}/healthz", timeout=90, trust_env=False).status_code == 200
        assert "Traceback" not in served.log.read_text()


def test_a_garbled_chunk_is_the_callers_fault(dsn: str, tmp_path: Path) -> None:
    with Served(tmp_path, {"DATABASE_URL": dsn}) as served:
        with socket.create_connection(("127.0.0.1", served.port)) as caller:
            caller.sendall(HALF_REQUESTS["chunks"] + b"zz\r\nhello\r\n")
            assert b" 400 " in caller.recv(100)
        assert "Traceback" not in served.log.read_text()
