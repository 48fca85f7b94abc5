"""Servers that break off, fall silent, drip, lie about their length or never end."""

import asyncio
import gzip
import os
import socket
import struct
import tracemalloc
import zlib
from collections.abc import Awaitable, Callable

import pytest

from hrims.config import Settings
from hrims.errors import (
    ConfigError,
    RemoteError,
    RemoteGarbled,
    RemoteTimeout,
    RemoteTooLarge,
    RemoteUnreachable,
)
from hrims.remote.client import Remote
from tests.remote.answers import page, person
from tests.remote.servers import API_KEY, TOKEN, RawServer, Script

Connect = Callable[..., Remote]
Serve = Callable[[Script], Awaitable[tuple[RawServer, str]]]
MB = 1024 * 1024


def says(*pieces: bytes, then_close: bool = True) -> Script:
    """Return a script that sends these pieces and hangs up."""

    async def script(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        if then_close:
            writer.close()

    return script


def head(**headers: str) -> bytes:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(["HTTP/1.1 200 OK", *lines, "", ""]).encode()


async def fails(remote: Remote, error: type[RemoteError], message: str = ".") -> RemoteError:
    """Ask for a page, and wants this error, without credentials and without a cause."""
    with pytest.raises(error, match=message) as failed:
        await remote.page("votecode", "037", 0, 100)
    assert API_KEY not in repr(failed.value)
    assert TOKEN not in repr(failed.value)
    assert failed.value.__cause__ is None
    assert failed.value.__context__ is None
    assert failed.value.is_retryable
    return failed.value


async def test_connections_are_kept_alive(serve: Serve, connect: Connect) -> None:
    body = page(person())
    server, address = await serve(says(head(Content_Length=str(len(body))), body, then_close=False))
    remote = connect(address)
    for _ in range(3):
        await remote.page("votecode", "037", 0, 100)
    assert (len(server.requests), server.connections) == (3, 1)


async def test_a_refused_connection(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    await fails(connect(f"http://127.0.0.1:{port}"), RemoteUnreachable, "cannot be reached")


@pytest.mark.parametrize("host", ["x" * 70, "a..b", "[::1"])
async def test_a_host_that_cannot_be(connect: Connect, host: str) -> None:
    with pytest.raises((RemoteUnreachable, ConfigError)):
        await connect(f"http://{host}").all_employees(0, 5)


async def test_a_connection_that_is_not_taken_up(connect: Connect) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for caller in waiting:
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        remote = connect(f"http://127.0.0.1:{listener.getsockname()[1]}", connect_timeout=0.3)
        await fails(remote, RemoteTimeout, "could not be reached in 0.3 seconds")
        for caller in waiting:
            caller.close()


async def test_a_reset(serve: Serve, connect: Connect) -> None:
    async def reset(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = writer.get_extra_info("socket")
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    _, address = await serve(reset)
    await fails(connect(address), RemoteUnreachable)


BROKEN_OFF = {
    "before anything": (),
    "within the head": (b"HTTP/1.1 200 OK\r\nContent-",),
    "within the body": (head(Content_Length="5000"), page(person())),
    "within a chunk": (head(Transfer_Encoding="chunked"), b"50\r\n{"),
    "before the last chunk": (head(Transfer_Encoding="chunked"), b"2\r\n{}\r\n"),
}


@pytest.mark.parametrize("pieces", BROKEN_OFF.values(), ids=list(BROKEN_OFF))
async def test_an_answer_that_breaks_off(serve: Serve, connect: Connect, pieces: tuple[bytes, ...]) -> None:
    _, address = await serve(says(*pieces))
    await fails(connect(address), RemoteUnreachable, "broke the connection")


NOT_HTTP = {
    "another protocol": b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
    "binary": b"\x16\x03\x01" * 50,
    "a length that is none": head(Content_Length="many") + b"{}",
    "two lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a length beyond numbers": head(Content_Length="9" * 5000) + b"{}",
    "a header without end": b"HTTP/1.1 200 OK\r\nX: " + b"x" * MB,
}


@pytest.mark.parametrize("answer", NOT_HTTP.values(), ids=list(NOT_HTTP))
async def test_an_answer_that_is_not_http(serve: Serve, connect: Connect, answer: bytes) -> None:
    _, address = await serve(says(answer))
    await fails(connect(address), RemoteGarbled, "not HTTP")


async def test_a_length_below_the_body_gives_half_a_json(serve: Serve, connect: Connect) -> None:
    _, address = await serve(says(head(Content_Length="50"), page(person())))
    await fails(connect(address), RemoteGarbled, "not whole JSON")


async def forever(writer: asyncio.StreamWriter, piece: bytes) -> None:
    while True:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(0)


# too slow


async def test_silence(serve: Serve, connect: Connect) -> None:
    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    _, address = await serve(silent)
    await fails(connect(address, read_timeout=0.3), RemoteTimeout, "silent for 0.3 seconds")


async def test_silence_within_the_body(serve: Serve, connect: Connect) -> None:
    async def half(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head(Content_Length="500") + b"{")
        await asyncio.Event().wait()

    _, address = await serve(half)
    await fails(connect(address, read_timeout=0.3), RemoteTimeout, "silent for 0.3 seconds")


async def test_a_drip_that_is_never_silent(serve: Serve, connect: Connect) -> None:
    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head(Content_Length="500000"))
        while True:
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(0.01)  # slowness is what is tested

    _, address = await serve(drip)
    remote = connect(address, read_timeout=60, request_timeout=0.5)
    await fails(remote, RemoteTimeout, "no whole answer in 0.5 seconds")


async def test_a_cancelled_question_is_cancelled(serve: Serve, connect: Connect) -> None:
    heard = asyncio.Event()

    async def silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.set()
        await asyncio.Event().wait()

    _, address = await serve(silent)
    question = asyncio.create_task(connect(address).all_employees(0, 5))
    await heard.wait()
    question.cancel()
    with pytest.raises(asyncio.CancelledError):
        await question


# too large


async def test_a_length_above_the_limit_is_refused_unread(serve: Serve, connect: Connect) -> None:
    async def announce(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head(Content_Length=str(MB + 1)))
        await asyncio.Event().wait()

    _, address = await serve(announce)
    await fails(connect(address), RemoteTooLarge, "larger than 1 MB")


@pytest.mark.parametrize("coding", ["chunked", None])
async def test_a_body_that_never_ends(serve: Serve, connect: Connect, coding: str | None) -> None:
    async def endless(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(head(Transfer_Encoding=coding) if coding else head())
        await forever(writer, b"1000\r\n" + b" " * 4096 + b"\r\n")

    server, address = await serve(endless)
    await fails(connect(address), RemoteTooLarge, "HRIMS_MAX_RESPONSE_MB")
    await server.hung_up.wait()


async def test_a_body_at_the_limit_is_read(serve: Serve, connect: Connect) -> None:
    body = page(person()).ljust(MB)
    _, address = await serve(says(head(Content_Length=str(MB)), body))
    assert (await connect(address).all_employees(0, 5)).total == 1


async def test_a_compressed_bomb_stays_packed(serve: Serve, connect: Connect) -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(MB)) for _ in range(100)) + packer.flush()
    assert len(bomb) < MB
    _, address = await serve(says(head(Content_Encoding="gzip", Content_Length=str(len(bomb))), bomb))
    remote = connect(address)
    tracemalloc.start()
    try:
        await fails(remote, RemoteTooLarge)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10 * MB


BAD_CODINGS = {
    "not gzip at all": ("gzip", page(person())),
    "half": ("gzip", gzip.compress(page(person()))[:-20]),
    "empty": ("gzip", b""),
    "broken": ("gzip", gzip.compress(os.urandom(500))[:100] + b"\xff" * 400),
    "not asked for": ("br", b"x"),
    "twice": ("gzip, gzip", gzip.compress(gzip.compress(page(person())))),
}


@pytest.mark.parametrize(("coding", "body"), BAD_CODINGS.values(), ids=list(BAD_CODINGS))
async def test_a_coding_that_cannot_be_undone(
    serve: Serve, connect: Connect, coding: str, body: bytes
) -> None:
    lines = head(Content_Encoding=coding, Content_Length=str(len(body)))
    _, address = await serve(says(lines, body))
    await fails(connect(address), RemoteGarbled, "compress")


# credentials


@pytest.mark.parametrize("secret", ["s3cret\r\nX: y", "s3cret\x00", "s3crét", "s3cret\n"])
@pytest.mark.parametrize("setting", ["api_key", "token"])
def test_credentials_that_no_header_carries_are_refused(setting: str, secret: str) -> None:
    changed = Settings(base_url="http://127.0.0.1:9", **{setting: secret})  # type: ignore[arg-type] # one of two texts
    with pytest.raises(ConfigError, match="HRIMS_") as refused:
        Remote(changed)
    assert "s3cr" not in repr(refused.value)
    assert refused.value.__context__ is None


async def test_repr_shows_the_address_alone(connect: Connect) -> None:
    remote = connect("http://127.0.0.1:9/api/")
    assert repr(remote) == "Remote(http://127.0.0.1:9/api/Employees)"
