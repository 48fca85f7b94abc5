"""One HTTP exchange, down to the socket: answers, streams, pauses, or breaks the connection."""

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


class Left(Exception):
    """The client went away before it had its answer."""


class Exchange:
    """What a failure may do to one connection. ``over`` is set once it cannot be used again."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.over = False

    def json(self, body: Any, status: int = 200, **headers: str) -> None:
        """Answers with this as JSON."""
        raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
        self.send(raw, status, **headers)

    def send(self, body: bytes, status: int = 200, kind: str = "application/json", **headers: str) -> None:
        """A whole answer in one write."""
        self.write(self.head(len(body), status, kind, **headers) + body)

    def head(self, length: int, status: int = 200, kind: str = "application/json", **headers: str) -> bytes:
        """The lines above a body of this many bytes; -1 is a body in chunks."""
        size = "Transfer-Encoding: chunked" if length < 0 else f"Content-Length: {length}"
        more = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
        phrase = HTTPStatus(status).phrase
        return (f"HTTP/1.1 {status} {phrase}\r\nContent-Type: {kind}\r\n{size}\r\n{more}\r\n").encode()

    def write(self, raw: bytes) -> None:
        """Raises Left when nobody reads."""
        try:
            self.connection.sendall(raw)
        except OSError:
            self.over = True
            raise Left from None

    def chunks(self, parts: Iterable[bytes]) -> None:
        """A body in chunks, without its end: whoever wants one writes it."""
        self.over = True
        self.write(self.head(-1))
        for part in parts:
            self.write(b"%x\r\n%b\r\n" % (len(part), part))

    def pause(self, seconds: float) -> None:
        """Waits. Raises Left as soon as the client goes away."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self._listen(min(left, 1.0))

    def check(self) -> None:
        """Raises Left when the client has gone away."""
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
            raise Left
        time.sleep(seconds)  # the client sends its next request early, which is no news

    def close(self) -> None:
        """Closes the connection in good order, with no more said."""
        self.over = True
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def reset(self) -> None:
        """Breaks the connection: the client sees a reset."""
        self.over = True
        with contextlib.suppress(OSError):
            linger = struct.pack("ii", 1, 0)
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            # Closing the descriptor itself: the reader above it would keep the socket open.
            os.close(self.connection.detach())
