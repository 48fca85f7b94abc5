"""The HTTP server of the simulator.

Input: Options. Output: HTTP on a loopback port until SIGTERM or SIGINT.
"""

import contextlib
import json
import signal
import socket
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import FrameType
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from hrims.simulator import control
from hrims.simulator.dispatcher import Dispatcher
from hrims.simulator.exchange import ClientDisconnected, Exchange
from hrims.simulator.options import Options

LONGEST_BODY = 1 << 20
"""Maximum number of bytes that are read of a request's body."""


def serve(options: Options) -> None:
    """Print ``simulator listening on http://HOST:PORT`` and serve until a signal stops it.

    Call it in the main thread. Raises OSError if the port is in use, and InvalidControl if the initial
    behaviour is invalid.
    """
    with contextlib.suppress(Stopped), Server(options) as server:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _stop)
        host, port = server.server_address[:2]
        sys.stdout.write(f"simulator listening on http://{host!s}:{port}\n")
        sys.stdout.flush()
        server.serve_forever()


class Stopped(BaseException):
    """A stop signal. Requests that still wait are dropped with the process."""


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise Stopped


class Server(ThreadingHTTPServer):
    """The server: one thread for each connection; none of them keeps the process alive."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def __init__(self, options: Options) -> None:
        self.dispatcher = Dispatcher(options)
        super().__init__((options.host, options.port), Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Ignore errors of clients that disconnected: they are not errors of the simulator."""
        if not isinstance(sys.exception(), OSError | ClientDisconnected):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One connection, kept alive over many requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server
    connection: socket.socket

    def do_POST(self) -> None:
        """Handle a request to ``/Employees`` or to the control address."""
        body = self._body()
        if body is None:
            return
        if self.path != "/Employees":
            self._control(body)
        elif self.server.dispatcher.behaviour.down:
            self.server.dispatcher.refuse(self.client_address[1], "down")
            self.close_connection = True
        else:
            exchange = Exchange(self.connection)
            self.server.dispatcher.handle(exchange, self.client_address[1], self.headers, body)
            self.close_connection = self.close_connection or exchange.over

    def do_GET(self) -> None:
        """Handle a request to the control address."""
        self._control(b"")

    def do_PUT(self) -> None:
        """Handle a request to the control address."""
        body = self._body()
        if body is not None:
            self._control(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - named by the base class
        """Log nothing.

        The only output is the line that the server is ready; the control address reports the rest.
        """

    def _body(self) -> bytes | None:
        """Return the request's body, or None if it was refused and the response was sent."""
        length = self.headers.get("Content-Length", "")
        if length.isdigit() and int(length) <= LONGEST_BODY:
            return self.rfile.read(int(length))
        self.close_connection = True
        Exchange(self.connection).send(b"", 413 if length.isdigit() else 411, "text/plain")
        return None

    def _control(self, body: bytes) -> None:
        parts = urlsplit(self.path)
        exchange = Exchange(self.connection)
        try:
            given = json.loads(body) if body else dict(parse_qsl(parts.query))
        except ValueError:
            exchange.json({"error": "the body is not JSON"}, 400)
            return
        status, payload = control.answer(self.server.dispatcher, self.command, parts.path, given)
        exchange.json(payload, status)
