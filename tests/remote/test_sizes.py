"""How much of an answer is read: the limit holds for what is received and for what it unpacks to."""

import asyncio
import gzip
import os
import tracemalloc
import zlib
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from itertools import repeat

import pytest

from hrims.errors import RemoteError, RemoteGarbled, RemoteTooLarge
from hrims.remote import body
from hrims.remote.client import Remote
from tests.remote.answers import page, person
from tests.remote.servers import RawServer, Script
from tests.remote.test_faults import head, says

Connect = Callable[..., Remote]
Serve = Callable[[Script], Awaitable[tuple[RawServer, str]]]
MB = 1024 * 1024
PAGE = page(person())
PACKED = gzip.compress(PAGE)


def sends(first: bytes, piece: bytes, times: int, *, coding: str, chunked: bool) -> Script:
    """Return a script that sends ``first``, then ``piece`` so often, until the client hangs up."""

    async def script(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = {"Content_Encoding": coding} | ({"Transfer_Encoding": "chunked"} if chunked else {})
        writer.write(head(**lines))
        for part in (first, *repeat(piece, times)):
            writer.write(b"%x\r\n%b\r\n" % (len(part), part) if chunked else part)
            await writer.drain()
        writer.write(b"0\r\n\r\n" if chunked else b"")
        await writer.drain()
        writer.close()

    return script


@contextmanager
def small(limit: int) -> Iterator[None]:
    """Assert that the block needs less than ``limit`` bytes of memory."""
    tracemalloc.start()
    try:
        yield
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < limit


BEHIND = {
    "zeros": bytes(64 * 1024),
    "junk": os.urandom(64 * 1024),
    "a file again and again": gzip.compress(os.urandom(60 * 1024)),
    "small files": gzip.compress(b"") * 3000,
    "bombs": gzip.compress(bytes(4 * MB)),
}


@pytest.mark.parametrize("chunked", [True, False], ids=["chunked", "until the end"])
@pytest.mark.parametrize("piece", BEHIND.values(), ids=list(BEHIND))
async def test_bytes_behind_the_compressed_body_count(
    serve: Serve, connect: Connect, piece: bytes, *, chunked: bool
) -> None:
    server, address = await serve(sends(PACKED, piece, 2000, coding="gzip", chunked=chunked))
    remote = connect(address)
    with small(8 * MB), pytest.raises(RemoteTooLarge, match="larger than 1 MB"):
        await remote.all_employees(0, 5)
    await server.hung_up.wait()


@pytest.mark.parametrize("piece", [b"", b"\0", bytes(5000), b"\r\n", b"\x1f", b"\x1fx", b"junk" * 99])
@pytest.mark.parametrize("times", [1, 3])
async def test_a_few_bytes_behind_it_are_left_out(
    serve: Serve, connect: Connect, piece: bytes, times: int
) -> None:
    _, address = await serve(sends(PACKED, piece, times, coding="gzip", chunked=False))
    assert (await connect(address).all_employees(0, 5)).total == 1


@pytest.mark.parametrize("at", [1, 10, 100, len(PAGE) - 1])
@pytest.mark.parametrize("size", [1, 7, 100_000])
async def test_a_multi_member_gzip_body_is_read_completely(at: int, size: int) -> None:
    packed = gzip.compress(PAGE[:at]) + gzip.compress(b"") + gzip.compress(PAGE[at:]) + b"\0\0"
    pieces = (packed[start : start + size] for start in range(0, len(packed), size))

    async def chunks() -> Iterator[bytes]:  # type: ignore[misc] # an async generator
        for piece in pieces:
            yield piece

    assert await body.read(chunks(), length=None, encoding="gzip", limit=MB) == PAGE  # type: ignore[arg-type] # the same


async def test_a_second_file_that_is_half_is_garbled(serve: Serve, connect: Connect) -> None:
    _, address = await serve(sends(gzip.compress(PAGE[:9]), PACKED[:-9], 1, coding="gzip", chunked=True))
    with pytest.raises(RemoteGarbled, match="ends half way"):
        await connect(address).all_employees(0, 5)


@pytest.mark.parametrize("coding", ["deflate", "br", "zstd", "gzip, deflate", "compress"])
async def test_another_compression_is_not_read(serve: Serve, connect: Connect, coding: str) -> None:
    packed = zlib.compress(bytes(100 * MB))
    server, address = await serve(sends(packed, packed, 2000, coding=coding, chunked=True))
    remote = connect(address)
    with small(2 * MB), pytest.raises(RemoteGarbled, match="not asked for"):
        await remote.all_employees(0, 5)
    await server.hung_up.wait()


LENGTHS: dict[str, tuple[str, type[RemoteError]]] = {
    "shorter than the body": ("5", RemoteGarbled),
    "nothing": ("0", RemoteGarbled),
    "above the limit": (str(2 * MB), RemoteTooLarge),
    "negative": ("-1", RemoteGarbled),
    "no number": ("many", RemoteGarbled),
    "10,000 digits": ("9" * 10_000, RemoteGarbled),
    "30 digits": ("9" * 30, RemoteGarbled),
    "two of them": ("5, 6", RemoteGarbled),
    "in another script": ("\u0663", RemoteGarbled),
}


@pytest.mark.parametrize(("length", "error"), LENGTHS.values(), ids=list(LENGTHS))
@pytest.mark.parametrize("coding", ["identity", "gzip"])
async def test_a_wrong_length_is_an_error_of_the_tree(
    serve: Serve, connect: Connect, length: str, error: type[RemoteError], coding: str
) -> None:
    lines = head(Content_Encoding=coding, Content_Length=length)
    sent = PACKED if coding == "gzip" else PAGE
    _, address = await serve(says(lines, sent, bytes(3 * MB)))
    remote = connect(address)
    with small(4 * MB), pytest.raises(error):
        await remote.all_employees(0, 5)
