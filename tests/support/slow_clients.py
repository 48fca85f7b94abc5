"""Clients that send or receive a byte now and then. Input: an address. Output: connections that never end."""

import contextlib
import http.client
import socket
import threading
import time
from typing import Final, Self

INTERVAL: Final = 0.2
"""Seconds between two bytes."""

REQUESTS: Final = 20
"""Requests at once for a response that is received slowly: more than the buffers of the kernel hold."""

FORM: Final = "Content-Type: application/x-www-form-urlencoded\r\n"

BEGINNINGS: Final = {
    "nothing": b"",
    "headers": b"GET / HTTP/1.1\r\nHost: localhost\r\n",
    "body": f"POST /sign-in HTTP/1.1\r\nHost: localhost\r\n{FORM}Content-Length: 9000\r\n\r\n".encode(),
    "chunks": b"POST /api/hrims/any HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n",
}
"""How a slow request begins, by its kind."""

CONTINUED: Final = {"nothing": b"", "headers": b"X-A: b\r\n", "body": b"a", "chunks": b"1\r\na\r\n"}
"""What is sent again and again, by kind."""


class SlowClients:
    """So many clients of one kind. A client that is disconnected connects again.

    ``read`` is the path of a response that they receive slowly. Without it, they send slowly.
    """

    def __init__(self, port: int, count: int, kind: str = "", *, read: str = "", source: str = "") -> None:
        self._server, self._kind, self._read, self._source = ("127.0.0.1", port), kind, read, source
        self._ended = threading.Event()
        self._are_connected = threading.Semaphore(0)
        self._threads = [threading.Thread(target=self._repeat, daemon=True) for _ in range(count)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
            # One after the other: many requests at the same instant are load, which other tests have.
            time.sleep(INTERVAL / 20)
        for _ in self._threads:
            assert self._are_connected.acquire(timeout=30)
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _repeat(self) -> None:
        while not self._ended.wait(INTERVAL):
            with contextlib.suppress(OSError), socket.socket() as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
                client.settimeout(30)
                client.bind((self._source, 0))
                client.connect(self._server)
                self._stay(client)

    def _stay(self, client: socket.socket) -> None:
        request = f"GET {self._read} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * REQUESTS
        client.sendall(request if self._read else BEGINNINGS[self._kind])
        self._are_connected.release()
        while not self._ended.wait(INTERVAL):
            if self._read:
                assert client.recv(1)
            else:
                client.sendall(CONTINUED[self._kind])


def measure_health(port: int, seconds: float) -> float:
    """Ask for /healthz on new connections for so many seconds. Return the longest time to a response."""
    times: list[float] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", "/healthz")
        assert connection.getresponse().status == 200
        times.append(time.monotonic() - began)
        connection.close()
    return max(times)
