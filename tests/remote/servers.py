"""Servers on the loopback address: correct ones, and ones that break HTTP."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from pytest_httpserver import HTTPServer

from hrims.config import Settings

API_KEY, TOKEN = "k3y-of-tests", "t0ken-of-tests"

Script = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def settings(**changed: object) -> Settings:
    """Return settings with known credentials and a limit of 1 MB."""
    params = {"api_key": API_KEY, "token": TOKEN, "max_response_mb": 1, **changed}
    return Settings(**params)  # type: ignore[arg-type] # each is checked by its own test


def answer(server: HTTPServer, body: bytes, status: int = 200, **headers: str) -> str:
    """Let the server answer so, once or many times; gives its address."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    handler = server.expect_request("/api/Employees", method="POST")
    handler.respond_with_data(body, status, named, content_type="application/json")
    return server.url_for("/api")


class RawServer:
    """Reads a request's head and body, then leaves the rest to a script."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.connections = 0
        self.requests: list[bytes] = []
        self.hung_up = asyncio.Event()
        """Set when the client closed the connection on the script."""
        self._tasks: set[asyncio.Task[None]] = set()

    async def start(self) -> str:
        """Start to listen and return the address."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        host, port = self._server.sockets[0].getsockname()
        return f"http://{host}:{port}"

    async def stop(self) -> None:
        """Stop to listen and ends the scripts that still run."""
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        self.connections += 1
        try:
            while request := await _request(reader):
                self.requests.append(request)
                await self.script(reader, writer)
                await writer.drain()
        except ConnectionError:
            self.hung_up.set()
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


async def _request(reader: asyncio.StreamReader) -> bytes:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return b""
    length = next(
        int(line.split(b":")[1]) for line in head.split(b"\r\n") if b"ontent-" in line and b"ength" in line
    )
    return head + await reader.readexactly(length)
