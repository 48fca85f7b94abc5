"""The process: Options in, HTTP on a loopback port out, until SIGTERM or SIGINT."""

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
from hrims.simulator.desk import Desk
from hrims.simulator.exchange import Exchange, Left
from hrims.simulator.options import Options

LONGEST_BODY = 1 << 20
"""Bytes of a request's body that are read."""


def serve(options: Options) -> None:
    """Prints ``simulator listening on http://HOST:PORT`` and serves until it is told to stop.

    Must be called in the main thread. Raises OSError when the port is taken, Refused when the
    behaviour that it begins with does not do.
    """
    with contextlib.suppress(Stopped), Server(options) as server:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, _stop)
        host, port = server.server_address[:2]
        sys.stdout.write(f"simulator listening on http://{host!s}:{port}\n")
        sys.stdout.flush()
        server.serve_forever()


class Stopped(BaseException):
    """A signal said so. Requests that still wait are dropped with the process."""


def _stop(_number: int, _frame: FrameType | None) -> None:
    raise Stopped


class Server(ThreadingHTTPServer):
    """A thread a connection; none of them keeps the process alive."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def __init__(self, options: Options) -> None:
        self.desk = Desk(options)
        super().__init__((options.host, options.port), Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that went away is no error of the simulator."""
        if not isinstance(sys.exception(), OSError | Left):
            super().handle_error(request, client_address)


class Handler(BaseHTTPRequestHandler):
    """One connection, kept alive over many requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Server
    connection: socket.socket

    def do_POST(self) -> None:
        """Employees, or the control address."""
        body = self._body()
        if body is None:
            return
        if self.path != "/Employees":
            self._control(body)
        elif self.server.desk.behaviour.down:
            self.server.desk.refuse(self.client_address[1], "down")
            self.close_connection = True
        else:
            exchange = Exchange(self.connection)
            self.server.desk.take(exchange, self.client_address[1], self.headers, body)
            self.close_connection = self.close_connection or exchange.over

    def do_GET(self) -> None:
        """The control address."""
        self._control(b"")

    def do_PUT(self) -> None:
        """The control address."""
        body = self._body()
        if body is not None:
            self._control(body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class names it
        """Says nothing: the ready line is the only one; the control address tells the rest."""

    def _body(self) -> bytes | None:
        """The request's body; None when it was refused, with the answer given."""
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
        status, told = control.answer(self.server.desk, self.command, parts.path, given)
        exchange.json(told, status)
