"""Servers that a script writes to, and clients of the product."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path

import pytest

from hrims.remote.client import Remote
from tests.remote.checks import KEY, TOKEN
from tests.remote.servers import RawServer, Script, settings
from tests.support.simulated import Simulator
from tests.support.tls import Authority


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


@pytest.fixture(scope="module")
def running() -> Iterator[Simulator]:
    """Provide a simulator that requires credentials, for all tests of a module."""
    with Simulator(scale=0.02, api_key=KEY, token=TOKEN) as simulator:
        yield simulator


@pytest.fixture
def authority(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """Return an authority that this process trusts."""
    made = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made.file))
    return made
