"""An HRIMS that is wrong on purpose. Input: listings by vote code. Output: an HTTP server on a free port.

Written from the contract page alone. Every vote code is served as its listing's phase says.
"""

import json
import socket
import struct
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.resilience.scenarios.wrong_servers.listing import Listing, Reply

LISTED_BY_VOTE_CODE, ONE_EMPLOYEE = "204", "202"

ABORT = struct.pack("ii", 1, 0)
"""SO_LINGER with which a closed connection is reset."""

SILENCE = 1.0
"""Seconds for which a request that is to time out gets no answer; longer than the client's own limit."""


class Server(ThreadingHTTPServer):
    """Serves ``listings``, which may change while it runs."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, listings: Mapping[str, Listing]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.listings = listings
        self.stopped = threading.Event()
        self.aborted: set[int] = set()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        """Return the base address that clients post ``/Employees`` to."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, reason: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopped.set()
        self.shutdown()
        self._thread.join()
        self.server_close()

    def shutdown_request(self, request: Any) -> None:
        """Close a connection; one that is to be reset gets no orderly end."""
        if id(request) in self.aborted:
            self.aborted.discard(id(request))
            self.close_request(request)
        else:
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent: clients that give up are part of the scenarios."""


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: Server

    def do_POST(self) -> None:
        """Answer a request of the contract."""
        length = int(self.headers.get("Content-Length", 0))
        requested = json.loads(self.rfile.read(length))
        payload = requested.get("RequestPayloadData") or {}
        if requested.get("RequestId") == LISTED_BY_VOTE_CODE:
            self._answer_page(payload)
        elif requested.get("RequestId") == ONE_EMPLOYEE:
            self._answer_person(str(payload.get("RequestBody", "")))
        else:
            self._send({"code": 400, "status": "Failure", "message": "Bad request"})

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the base class
        """Do not log the request."""

    def _answer_page(self, payload: dict[str, Any]) -> None:
        listing = self.server.listings.get(str(payload.get("RequestBody", "")))
        if listing is None:
            self._send({"code": 404, "status": "Failure", "message": "Unknown vote code"})
            return
        reply = listing.reply(int(payload["PageNumber"]), int(payload["PageSize"]))
        if reply.failure:
            self._fail(reply.failure)
        else:
            self._send_bytes(200, page_body(reply))

    def _answer_person(self, key: str) -> None:
        found = next((person for each in self.server.listings.values() if (person := each.find(key))), None)
        if found is None:
            self._send({"code": 404, "status": "Failure", "message": "Unknown employee"})
        else:
            self._send_bytes(200, b'{"code": 200, "status": "Success", "data": ' + found.record() + b"}")

    def _fail(self, failure: str) -> None:
        kind, _, status = failure.partition(" ")
        if kind == "http":
            self._send_bytes(int(status), b"")
        elif kind == "body":
            self._send({"code": 500, "status": "Failure", "description": "Timeout: no answer in time"})
        else:
            self._break_off(kind)

    def _break_off(self, kind: str) -> None:
        self.close_connection = True
        if kind == "timeout":
            self.server.stopped.wait(SILENCE)
        if kind == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
            self.server.aborted.add(id(self.request))

    def _send(self, body: dict[str, Any]) -> None:
        self._send_bytes(200, json.dumps(body).encode())

    def _send_bytes(self, status: int, body: bytes) -> None:
        self.send_response_only(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def page_body(reply: Reply) -> bytes:
    """Return the answer's body; without records its ``data`` has the reply's form of emptiness."""
    frame = json.dumps({"code": 200, "status": "Success", **reply.frame}).encode()
    if reply.records:
        data = b"[" + b",".join(person.record() for person in reply.records) + b"]"
    elif reply.empty_form == "absent":
        return frame
    else:
        data = reply.empty_form.encode()
    return frame[:-1] + b', "data": ' + data + b"}"
