"""A receiver of webhooks: an HTTP server. Input: responses. Output: the requests that it received."""

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

TIMEOUT = 60.0
"""Seconds after which a missing message fails a test."""


class ReceivedRequest(NamedTuple):
    """A request that was received."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def payload(self) -> Any:
        return json.loads(self.body)


class Receiver:
    """A receiver, used as a context manager.

    ``answers`` are statuses, or (status, location), for one request each. All later requests get 204.
    """

    def __init__(self, *answers: int | tuple[int, str], address: str = "127.0.0.1") -> None:
        self.answers = list(answers)
        self.received: queue.Queue[ReceivedRequest] = queue.Queue()
        self.all: list[ReceivedRequest] = []
        self.hold = threading.Event()
        self.hold.set()
        self._server = ThreadingHTTPServer((address, 0), _handler(self))
        self.port: int = self._server.server_address[1]
        self.url = f"http://{address}:{self.port}/hook"

    def next(self) -> ReceivedRequest:
        """Return the next request. Wait for it."""
        return self.received.get(timeout=TIMEOUT)

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.hold.set()
        self._server.shutdown()
        self._server.server_close()


def verify(request: ReceivedRequest, secret: str) -> bool:
    """Return whether the signature is valid, as docs/how-to/receive-webhooks.md shows, at any time."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = (
        f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode() + request.body
    )
    expected = "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return any(
        hmac.compare_digest(expected, signature) for signature in request.headers["webhook-signature"].split()
    )


def _handler(receiver: Receiver) -> Callable[..., BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            request = ReceivedRequest(
                self.path, {name.lower(): value for name, value in self.headers.items()}, body
            )
            receiver.all.append(request)
            receiver.received.put(request)
            receiver.hold.wait(TIMEOUT)
            response = receiver.answers.pop(0) if receiver.answers else 204
            status, location = response if isinstance(response, tuple) else (response, None)
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's name
            """Log nothing."""

    return Handler
