"""One HTTP exchange on a socket: sends, streams, pauses, or breaks the connection."""

import contextlib
import json
import os
import select
import socket
import struct
import time
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any


class ClientDisconnected(Exception):
    """A disconnect of the client before it has the response."""


class Exchange:
    """The operations of a failure on one connection. ``over`` is true if it cannot be reused."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.over = False

    def json(self, body: Any, status: int = 200, **headers: str) -> None:
        """Send this as a JSON response."""
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        self.send(raw, status, **headers)

    def send(self, body: bytes, status: int = 200, kind: str = "application/json", **headers: str) -> None:
        """Send a whole response in one write."""
        self.write(self.head(len(body), status, kind, **headers) + body)

    def head(self, length: int, status: int = 200, kind: str = "application/json", **headers: str) -> bytes:
        """Return the header of a body with ``length`` bytes; -1 means a chunked body."""
        size = "Transfer-Encoding: chunked" if length < 0 else f"Content-Length: {length}"
        more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        phrase = HTTPStatus(status).phrase
        return (f"HTTP/1.1 {status} {phrase}\r\nContent-Type: {kind}\r\n{size}\r\n{more}\r\n").encode()

    def write(self, raw: bytes) -> None:
        """Write bytes. Raises ClientDisconnected if the client has disconnected."""
        try:
            self.connection.sendall(raw)
        except OSError:
            self.over = True
            raise ClientDisconnected from None

    def chunks(self, parts: Iterable[bytes]) -> None:
        """Send a chunked body without its last chunk; the caller sends that one if it is wanted."""
        self.over = True
        self.write(self.head(-1))
        for part in parts:
            self.write(b"%x\r\n%b\r\n" % (len(part), part))

    def pause(self, seconds: float) -> None:
        """Wait. Raises ClientDisconnected as soon as the client disconnects."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._listen(min(left, 1.0))

    def check(self) -> None:
        """Raise ClientDisconnected if the client has disconnected."""
        self._listen(0)

    def _listen(self, seconds: float) -> None:
        poll = select.poll()
        poll.register(self.connection, select.POLLIN)
        if not poll.poll(seconds * 1000):
            return
        try:
            gone = self.connection.recv(1, socket.MSG_PEEK) == b""
        except OSError:
            gone = True
        if gone:
            self.over = True
            raise ClientDisconnected
        time.sleep(seconds)  # the client sends its next request early, which is normal

    def close(self) -> None:
        """Close the connection in order without sending more."""
        self.over = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def reset(self) -> None:
        """Reset the connection."""
        self.over = True
        with contextlib.suppress(OSError):
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            # Close the descriptor itself: the reader above it would keep the socket open.
            os.close(self.connection.detach())
