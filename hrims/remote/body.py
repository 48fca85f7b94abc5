"""Reads the body of one response. Input: its chunks. Output: at most ``limit`` bytes of decompressed body."""

import zlib
from collections.abc import AsyncIterator
from typing import Final

from hrims.errors import RemoteGarbled, RemoteTooLarge

MB: Final = 1024 * 1024

MAX_GZIP_MEMBERS: Final = 10_000
"""Maximum number of gzip members that one response may contain, one after the other."""

GZIP: Final = b"\x1f\x8b"
"""The first bytes of each gzip member."""


async def read(
    chunks: AsyncIterator[bytes], *, length: str | None, encoding: str | None, limit: int
) -> bytes:
    """Return the whole body, decompressed.

    ``limit`` applies to the received bytes and to the bytes of the body. ``length`` and ``encoding`` are the
    headers Content-Length and Content-Encoding.

    Raises RemoteTooLarge before reading if the length exceeds the limit, and otherwise when the limit is
    reached. Raises RemoteGarbled if the compression is broken or was not requested.
    """
    if length is not None and int(length) > limit:
        raise _too_large(limit)
    plain = _reader(encoding)
    body = bytearray()
    received = 0
    async for chunk in chunks:
        received += len(chunk)
        if received > limit:
            raise _too_large(limit)
        body += plain.part(chunk, limit + 1 - len(body))
        if len(body) > limit:
            raise _too_large(limit)
    plain.end()
    return bytes(body)


def _reader(encoding: str | None) -> "Plain | Gzip":
    known = (encoding or "identity").strip().lower()
    if known not in {"identity", "gzip", "x-gzip"}:
        raise RemoteGarbled("HRIMS compressed its answer in a way that it was not asked for.")
    return Plain() if known == "identity" else Gzip()


class Plain:
    """A reader of chunks that are not compressed."""

    def part(self, chunk: bytes, limit: int) -> bytes:
        return chunk[:limit]

    def end(self) -> None:
        """Do nothing: no data remains."""


class Gzip:
    """A reader of compressed chunks.

    It never unpacks more than requested, so a decompression bomb stays packed. Further members after the
    first belong to the body (RFC 1952). Any other data after a member is ignored.
    """

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=31)
        self._members = 1
        self._begun = b""
        """Bytes after a member that may be the beginning of another."""
        self._is_over = False

    def part(self, chunk: bytes, limit: int) -> bytes:
        body = bytearray()
        while chunk and len(body) < limit and not self._is_over:
            if self._stream.eof:
                chunk = self._next(chunk)
            else:
                body += self._unpack(chunk, limit - len(body))
                chunk = self._stream.unused_data
        return bytes(body)

    def _unpack(self, chunk: bytes, limit: int) -> bytes:
        try:
            return self._stream.decompress(chunk, limit)
        except zlib.error:
            pass
        raise RemoteGarbled("HRIMS sent a compressed answer that cannot be unpacked.")

    def _next(self, chunk: bytes) -> bytes:
        """Start the member that begins with ``chunk``, and return the bytes that belong to it.

        Set ``_is_over`` if no member begins there.
        """
        start = self._begun + chunk
        if len(start) < len(GZIP) and GZIP.startswith(start):
            self._begun = start
            return b""
        if not start.startswith(GZIP) or self._members >= MAX_GZIP_MEMBERS:
            self._is_over = True
            return b""
        self._stream, self._begun = zlib.decompressobj(wbits=31), b""
        self._members += 1
        return start

    def end(self) -> None:
        if not self._stream.eof:
            raise RemoteGarbled("HRIMS sent a compressed answer that ends half way.")


def _too_large(limit: int) -> RemoteTooLarge:
    return RemoteTooLarge(
        f"HRIMS sent an answer larger than {limit // MB} MB; it was not read. If such pages are "
        "right, ask for smaller ones or raise HRIMS_MAX_RESPONSE_MB."
    )
