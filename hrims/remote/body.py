"""Reading one answer: its chunks come in, at most ``limit`` bytes of plain body go out."""

import zlib
from collections.abc import AsyncIterator
from typing import Final

from hrims.errors import RemoteGarbled, RemoteTooLarge

MB: Final = 1024 * 1024


async def read(
    chunks: AsyncIterator[bytes], *, length: str | None, encoding: str | None, limit: int
) -> bytes:
    """The whole body, decompressed; ``limit`` counts decompressed bytes.

    ``length`` and ``encoding`` are the headers Content-Length and Content-Encoding. Raises
    RemoteTooLarge before anything is read where the length says so, else at the limit, and
    RemoteGarbled for a compression that is broken or was not asked for.
    """
    if length is not None and int(length) > limit:
        raise _too_large(limit)
    plain = _reader(encoding)
    body = bytearray()
    async for chunk in chunks:
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
    """Compressed chunks, of which never more than asked for is unpacked: a bomb stays packed."""

    def __init__(self) -> None:
        self._stream = zlib.decompressobj(wbits=31)

    def part(self, chunk: bytes, most: int) -> bytes:
        try:
            return self._stream.decompress(chunk, most)
        except zlib.error:
            pass
        raise RemoteGarbled("HRIMS sent a compressed answer that cannot be unpacked.")

    def end(self) -> None:
        if not self._stream.eof:
            raise RemoteGarbled("HRIMS sent a compressed answer that ends half way.")


def _too_large(limit: int) -> RemoteTooLarge:
    return RemoteTooLarge(
        f"HRIMS sent an answer larger than {limit // MB} MB; it was not read. If such pages are "
        "right, ask for smaller ones or raise HRIMS_MAX_RESPONSE_MB."
    )
