"""A connection of a client. Input: its socket. Output: what gunicorn's threads use instead of the socket.

Threads never wait for a client to send: they get requests that have arrived completely. They wait for a
client to receive only if a response is larger than BUFFER, and only so many threads at once.
"""

import contextlib
import errno
import ipaddress
import socket
import struct
import threading
from collections.abc import Callable
from enum import Enum
from time import monotonic
from typing import Any, Final

from gunicorn.workers.gthread import TConn

from hrims.cli.gunicorn_framing import RequestBuffer, RequestBytes

BUFFER: Final = 256 * 1024
"""Bytes of a response that are kept for a client that receives slowly, before its thread waits."""


RESET: Final = struct.pack("ii", 1, 0)
"""The option of a socket that discards what was not sent when it is closed."""


class State(Enum):
    """What a connection waits for. The first states are given up first if there are too many connections."""

    LINGERS = "the client closes it"
    READS = "a request"
    FLUSHES = "the client receives the rest of a response"
    WORKS = "a thread responds"
    CLOSED = "nothing"


class SlowReaders:
    """Sockets whose threads wait for their clients, ``limit`` at most: one more disconnects the oldest."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._waiting: dict[ClientSocket, None] = {}

    @contextlib.contextmanager
    def waiting(self, client: "ClientSocket") -> Any:
        """Count a socket while its thread waits."""
        with self._lock:
            oldest = next(iter(self._waiting)) if len(self._waiting) >= self._limit else None
            if oldest:
                del self._waiting[oldest]
            self._waiting[client] = None
        if oldest:
            oldest.disconnect()
        try:
            yield
        finally:
            with self._lock:
                self._waiting.pop(client, None)


class ClientSocket:
    """The socket as gunicorn's parser and response see it.

    ``recv`` returns the bytes of one request, ``sendall`` buffers. ``send_later`` asks the event loop to send
    what the client does not receive at once.
    """

    send_later: Callable[[], None]

    def __init__(self, sock: socket.socket, readers: SlowReaders) -> None:
        self.raw = sock
        self.is_broken = False
        self.received_at = monotonic()
        """When the client received bytes last."""
        self._readers = readers
        self._request = memoryview(b"")
        self._rest = bytearray()
        self._changed = threading.Condition()

    @property
    def has_rest(self) -> bool:
        """Whether the client has not received everything yet."""
        return bool(self._rest)

    def set_request(self, content: bytes) -> None:
        """Set the bytes that ``recv`` returns from now on."""
        self._request = memoryview(content)

    def recv(self, size: int) -> bytes:
        """Return the next bytes of the request; at its end, as at the end of a connection, none."""
        content, self._request = bytes(self._request[:size]), self._request[size:]
        return content

    def sendall(self, content: bytes) -> None:
        """Send or buffer bytes. Raises BrokenPipeError if the client is disconnected or receives nothing."""
        if self._append(content):
            return
        with self._readers.waiting(self), self._changed:
            self._changed.wait_for(lambda: self.is_broken or len(self._rest) <= BUFFER)
        self._check()

    send = sendall

    def flush(self) -> bool:
        """Send as much of the rest as the client receives. Return whether nothing is left. Raises OSError."""
        with self._changed:
            del self._rest[: self._send(self._rest)]
            if len(self._rest) <= BUFFER:
                self._changed.notify_all()
            return not self._rest

    def disconnect(self) -> None:
        """Give the client up: a thread that responds to it gets an error. The event loop closes the rest."""
        with self._changed:
            self.is_broken = True
            self._rest.clear()
            self._changed.notify_all()
        with contextlib.suppress(OSError):
            # Otherwise the kernel would keep what the client does not receive for minutes.
            self.raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self.raw.shutdown(socket.SHUT_RDWR)

    def is_disconnected(self) -> bool:
        """Return whether the client has closed the connection, or was given up."""
        if self.is_broken:
            return True
        try:
            return self.raw.recv(1, socket.MSG_PEEK) == b""
        except BlockingIOError:
            return False
        except OSError:
            return True

    def _append(self, content: bytes) -> bool:
        """Send or buffer bytes. Return whether the buffer has space for more."""
        with self._changed:
            self._check()
            if self._rest:
                # The event loop sends this as well.
                self._rest += content
            elif (sent := self._send(content)) < len(content):
                self._rest += memoryview(content)[sent:]
                self.received_at = monotonic()
                self.send_later()
            return len(self._rest) <= BUFFER

    def _send(self, content: bytes | bytearray) -> int:
        try:
            sent = self.raw.send(content) if content else 0
        except BlockingIOError:
            return 0
        self.received_at = monotonic()
        return sent

    def _check(self) -> None:
        if self.is_broken:
            raise BrokenPipeError(errno.EPIPE, "the client is disconnected")

    # What gunicorn calls on a socket. The event loop owns the real one.

    def setblocking(self, flag: bool) -> None:
        """Ignore it: the socket never blocks."""

    def settimeout(self, seconds: float | None) -> None:
        """Ignore it: the socket never blocks."""

    def gettimeout(self) -> float:
        """Return the timeout of a socket that never blocks."""
        return 0.0

    def shutdown(self, how: int) -> None:
        """Ignore it: the event loop closes the socket when the response was sent."""

    def close(self) -> None:
        """Ignore it, like ``shutdown``."""


class Connection(TConn):  # type: ignore[misc] # gunicorn is untyped
    """A connection and what the event loop knows of it."""

    def __init__(self, cfg: Any, client: ClientSocket, peer: Any, server: Any, max_body: int) -> None:
        super().__init__(cfg, client, peer, server)
        self.data_ready = True
        self.address = address_of(peer)
        self.buffer = RequestBuffer(max_body)
        self.is_cut = False
        """Whether the body of the request was not read to its end."""
        self.is_kept = False
        """Whether the connection is used again after the response."""
        self.enter(State.READS, monotonic())

    def enter(self, state: State, deadline: float) -> None:
        """Enter a state that ends at a time of the monotonic clock."""
        self.state, self.since, self.deadline = state, monotonic(), deadline

    def set_request(self, request: RequestBytes) -> None:
        """Make a new parser read these bytes, so that nothing is left of the request before."""
        self.sock.set_request(request.content)
        self.is_cut, self.is_kept = request.is_cut, False
        self.parser, self.initialized = None, False


def address_of(peer: Any) -> str:
    """Return the address by which a peer's connections are counted: of IPv6, the network of a customer."""
    if not isinstance(peer, tuple):
        return ""
    address = ipaddress.ip_address(str(peer[0]).partition("%")[0])
    if isinstance(address, ipaddress.IPv6Address):
        return str(address.ipv4_mapped or ipaddress.IPv6Network((int(address), 64), strict=False))
    return str(address)
