"""Servers that a script writes to, and clients of the product."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from hrims.remote.client import Remote
from tests.remote.servers import RawServer, Script, settings


@pytest.fixture
async def serve() -> AsyncIterator[Callable[[Script], Awaitable[tuple[RawServer, str]]]]:
    """Start a raw server with a script: gives the server and its address."""
    servers: list[RawServer] = []

    async def start(script: Script) -> tuple[RawServer, str]:
        server = RawServer(script)
        servers.append(server)
        return server, await server.start()

    yield start
    for server in servers:
        await server.stop()


@pytest.fixture
async def connect() -> AsyncIterator[Callable[..., Remote]]:
    """Make a client of an address, with settings changed by name; closes it afterwards."""
    remotes: list[Remote] = []

    def make(address: str, **changed: object) -> Remote:
        remotes.append(Remote(settings(**changed), base_url=address))
        return remotes[-1]

    yield make
    for remote in remotes:
        await remote.aclose()
