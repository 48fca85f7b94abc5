"""The bytes of requests on a connection. Input: bytes as they arrive. Output: one complete request at a time.

It decides only when a request is handed to gunicorn, which parses the same bytes and judges them. What is not
valid HTTP is handed over at once, so that gunicorn refuses it.
"""

import re
from typing import Final, NamedTuple

MAX_HEAD: Final = 64 * 1024
"""Maximum number of bytes of a request line and its headers together."""

MAX_CHUNK_LINE: Final = 8 * 1024
"""Maximum number of bytes of the line with the size of a chunk."""

MAX_FRAMING: Final = 8
"""Maximum number of bytes of a chunked body on the wire, per byte of the largest body."""

END_OF_HEAD: Final = b"\r\n\r\n"

HEADER: Final = re.compile(rb"\r\n(content-length|transfer-encoding|expect):[ \t]*([^\r\n]*)", re.IGNORECASE)
"""The headers that tell where a request ends, or whether its client waits before it sends the body."""

CHUNK_SIZE: Final = re.compile(rb"([0-9a-fA-F]{1,8})[ \t]*(;.*)?", re.DOTALL)


class HeadTooLarge(Exception):
    """The request line and the headers are larger than MAX_HEAD."""


class RequestBytes(NamedTuple):
    """The bytes of one request. ``is_cut`` is true if its body was not read to its end."""

    content: bytes
    is_cut: bool


class RequestBuffer:
    """The bytes that a client has sent and that were not handed over yet."""

    _expects_continue: bool

    def __init__(self, max_body: int) -> None:
        self._max_body = max_body
        self._bytes = bytearray()
        self._start_request()

    def __len__(self) -> int:
        return len(self._bytes)

    def take_continue(self) -> bool:
        """Return once whether the client waits for ``100 Continue`` before it sends the body."""
        expects = self._expects_continue
        self._expects_continue = False
        return expects

    def add(self, content: bytes) -> None:
        """Add bytes that have arrived."""
        self._bytes += content

    def take(self) -> RequestBytes | None:
        """Remove and return the next request; None if it is not complete. Raises HeadTooLarge."""
        if not self._body_begins_at and not self._read_head():
            return None
        end = self._find_end()
        if end is None:
            return None
        content, is_cut = bytes(self._bytes[:end]), self._is_cut
        del self._bytes[:end]
        self._start_request()
        return RequestBytes(content, is_cut)

    def _start_request(self) -> None:
        self._searched = self._body_begins_at = self._length = self._decoded = 0
        self._is_chunked = self._is_cut = self._expects_continue = False

    def _read_head(self) -> bool:
        """Find the end of the headers, and in them how long the body is. Return whether they are complete."""
        found = self._bytes.find(END_OF_HEAD, max(0, self._searched - len(END_OF_HEAD)))
        self._searched = len(self._bytes)
        if max(found, 0 if found >= 0 else self._searched) > MAX_HEAD:
            raise HeadTooLarge
        if found < 0:
            return False
        # From here on, the end of the chunk that was read last.
        self._body_begins_at = self._searched = found + len(END_OF_HEAD)
        headers: dict[bytes, list[bytes]] = {}
        for name, value in HEADER.findall(self._bytes, 0, found):
            headers.setdefault(name.lower(), []).append(value.strip().lower())
        self._read_framing(headers.get(b"content-length", []), headers.get(b"transfer-encoding", []))
        expectations = headers.get(b"expect", [])
        self._expects_continue = expectations == [b"100-continue"] and b" HTTP/1.1\r\n" in self._bytes
        return True

    def _read_framing(self, lengths: list[bytes], codings: list[bytes]) -> None:
        if not lengths and codings == [b"chunked"]:
            self._is_chunked = True
        elif not codings and len(lengths) == 1 and re.fullmatch(rb"[0-9]{1,18}", lengths[0]):
            self._length = int(lengths[0])
        else:
            # If there is a body, only gunicorn knows its end, and it refuses most of these.
            self._is_cut = bool(lengths or codings)

    def _find_end(self) -> int | None:
        if self._is_chunked:
            return self._find_end_of_chunks()
        if self._length > self._max_body:
            # The application refuses it by its length. Nothing of the body is needed for that.
            self._is_cut = True
            return self._body_begins_at
        end = self._body_begins_at + self._length
        return end if len(self._bytes) >= end else None

    def _find_end_of_chunks(self) -> int | None:
        """Return the end of a chunked body; if it is malformed or too large, the end of what has arrived."""
        while True:
            line_end = self._bytes.find(b"\r\n", self._searched)
            if line_end < 0:
                return self._cut_if(len(self._bytes) - self._searched > MAX_CHUNK_LINE)
            size = CHUNK_SIZE.fullmatch(self._bytes, self._searched, line_end)
            if not size:
                return self._cut_if(True)
            length, begins_at = int(size[1], 16), line_end + 2
            if not length:
                return self._find_end_of_trailers(begins_at)
            arrived = min(length, len(self._bytes) - begins_at)
            if self._decoded + arrived > self._max_body or self._has_too_much_framing():
                return self._cut_if(True)
            if len(self._bytes) < begins_at + length + 2:
                return None
            self._decoded += length
            self._searched = begins_at + length + 2

    def _has_too_much_framing(self) -> bool:
        return len(self._bytes) - self._body_begins_at > MAX_FRAMING * self._max_body + MAX_CHUNK_LINE

    def _find_end_of_trailers(self, begins_at: int) -> int | None:
        if self._bytes[begins_at : begins_at + 2] == b"\r\n":
            return begins_at + 2
        found = self._bytes.find(END_OF_HEAD, begins_at)
        if found >= 0:
            return found + len(END_OF_HEAD)
        return self._cut_if(len(self._bytes) - begins_at > MAX_HEAD)

    def _cut_if(self, condition: bool) -> int | None:
        self._is_cut = condition
        return len(self._bytes) if condition else None
