"""A receiver of webhooks for tests: real HTTP on a free port; it answers as told and keeps what came."""

import base64
import hashlib
import hmac
import json
import queue
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, NamedTuple, Self

PATIENCE = 60.0
"""Seconds after which a message that does not come fails a test."""


class Got(NamedTuple):
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def payload(self) -> Any:
        return json.loads(self.body)


class Receiver:
    """Use it as a context manager. ``answers`` are statuses, or (status, location), for one request each;
    after them it answers 204.
    """

    def __init__(self, *answers: int | tuple[int, str], address: str = "127.0.0.1") -> None:
        self.answers = list(answers)
        self.came: queue.Queue[Got] = queue.Queue()
        self.all: list[Got] = []
        self.hold = threading.Event()
        self.hold.set()
        self._server = ThreadingHTTPServer((address, 0), _handler(self))
        self.port: int = self._server.server_address[1]
        self.url = f"http://{address}:{self.port}/hook"

    def next(self) -> Got:
        """Return the next request, as soon as it has come."""
        return self.came.get(timeout=PATIENCE)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hold.set()
        self._server.shutdown()
        self._server.server_close()


def verify(got: Got, secret: str) -> bool:
    """Return what docs/how-to/receive-webhooks.md shows receivers to do, without the look at the clock."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{got.headers['webhook-id']}.{got.headers['webhook-timestamp']}.".encode() + got.body
    wanted = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(wanted, one) for one in got.headers["webhook-signature"].split())


def _handler(receiver: Receiver) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got = Got(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            receiver.all.append(got)
            receiver.came.put(got)
            receiver.hold.wait(PATIENCE)
            told = receiver.answers.pop(0) if receiver.answers else 204
            status, location = told if isinstance(told, tuple) else (told, None)
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            """Says nothing."""

    return Handler
