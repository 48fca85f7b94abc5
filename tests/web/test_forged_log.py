"""No request writes a line of its own choice to the log: paths, names, headers and bytes that are no HTTP."""

import json
import re
import socket
from pathlib import Path

import httpx
import pytest

from tests.support.served import Served

LINE = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+Z \[(info|warning|error) *\] [a-z_]+ .*\[[\w.]+\]")

FORGED = "2026-01-01T00:00:00.000000Z [error    ] forged_line run=1 [hrims.sync]"

HOSTILE = ["\n", "\r\n", "\r", "\x1b[2J", "\x85", "\u2028", "\x00", "\u202e", "\x9b31m"]

RAW = [
    *(f"GET /{text}{FORGED} HTTP/1.1\r\nHost: localhost\r\n\r\n" for text in HOSTILE),
    *(f"GET / HTTP/1.1\r\nHost: {text}{FORGED}\r\n\r\n" for text in HOSTILE),
    *(f"GET / HTTP/1.1\r\nHost: localhost\r\nX-Request-Id: a{text}{FORGED}\r\n\r\n" for text in HOSTILE),
    *(f"G{text}{FORGED} / HTTP/1.1\r\nHost: localhost\r\n\r\n" for text in HOSTILE),
    *(f"{text}{FORGED}\r\n\r\n" for text in HOSTILE),
]


def ask(port: int, request: bytes) -> None:
    """Send bytes and wait until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as client:
        client.sendall(request)
        client.shutdown(socket.SHUT_WR)
        while client.recv(65536):
            continue


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_every_line_is_one_of_ours(dsn: str, tmp_path: Path, log_format: str) -> None:
    env = {"DATABASE_URL": dsn, "HRIMS_LOG_FORMAT": log_format, "HRIMS_LOG_LEVEL": "info"}
    with Served(tmp_path, env) as web, httpx.Client(base_url=web.url, trust_env=False, timeout=30) as http:
        for request in RAW:
            ask(web.port, request.encode())
        for text in HOSTILE:
            quoted = "".join(f"%{byte:02x}" for byte in f"{text}{FORGED}".encode())
            value = f"a{FORGED}".encode() if text.isascii() else f"a{text}{FORGED}".encode()
            for path in (
                f"/{quoted}",
                f"/api/{quoted}?{quoted}={quoted}",
                f"/static/{quoted}",
                f"/sign-in?next={quoted}",
            ):
                http.get(path, headers={b"User-Agent": value, b"Cookie": value, b"Referer": value})
            http.get("/api/hrims/institutions", headers={b"Authorization": b"Bearer " + value})
            http.post("/sign-in", data={"name": text + FORGED, "password": text + FORGED})
    lines = web.log.read_text().split("\n")[:-1]
    assert len(lines) > len(RAW)
    for line in lines:
        assert line.isprintable(), ascii(line)
        if log_format == "json":
            assert json.loads(line)["event"] != "forged_line"
        else:
            assert LINE.fullmatch(line), line
            assert not re.match(r"\S+ \[\w+ *\] forged_line", line)
