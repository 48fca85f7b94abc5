"""Reading one answer: its chunks come in, at most ``limit`` bytes of plain body go out."""

import zlib
from collections.abc import AsyncIterator
from typing import Final

from hrims.errors import RemoteGarbled, RemoteTooLarge

MB: Final = 1024 * 1024

MOST_MEMBERS: Final = 10_000
"""Compressed files that one answer may consist of, one behind the other."""

GZIP: Final = b"\x1f\x8b"
"""What each of them begins with."""


async def read(
    chunks: AsyncIterator[bytes], *, length: str | None, encoding: str | None, limit: int
) -> bytes:
    """Return the whole body, decompressed. ``limit`` holds for the bytes that are received and those of the
    body.

    ``length`` and ``encoding`` are the headers Content-Length and Content-Encoding. Raises
    RemoteTooLarge before anything is read where the length says so, else at the limit, and
    RemoteGarbled for a compression that is broken or was not asked for.
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
    """Chunks as they are."""

    def part(self, chunk: bytes, most: int) -> bytes:
        return chunk[:most]

    def end(self) -> None:
        """Nothing is left over."""


class Gzip:
    """Compressed chunks. Never more than asked for is unpacked: a bomb stays packed.

    Further files behind the first belong to the body (RFC 1952). Anything else behind it is left out.
    """

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=31)
        self._members = 1
        self._begun = b""
        """What came behind a file, as long as it may be the beginning of another."""
        self._is_over = False

    def part(self, chunk: bytes, most: int) -> bytes:
        body = bytearray()
        while chunk and len(body) < most and not self._is_over:
            if self._stream.eof:
                chunk = self._next(chunk)
            else:
                body += self._unpack(chunk, most - len(body))
                chunk = self._stream.unused_data
        return bytes(body)

    def _unpack(self, chunk: bytes, most: int) -> bytes:
        try:
            return self._stream.decompress(chunk, most)
        except zlib.error:
            pass
        raise RemoteGarbled("HRIMS sent a compressed answer that cannot be unpacked.")

    def _next(self, chunk: bytes) -> bytes:
        """Begin the file that begins with ``chunk``, and return what belongs to it; note if there is none."""
        start = self._begun + chunk
        if len(start) < len(GZIP) and GZIP.startswith(start):
            self._begun = start
            return b""
        if not start.startswith(GZIP) or self._members >= MOST_MEMBERS:
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
