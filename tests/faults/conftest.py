"""A house for each test, on a server of its own: what is done to it would be in everybody's way."""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import _fastest, remove_when_stopped
from tests.faults.house import SIZE, VOTES, House
from tests.faults.server import Server
from tests.simulated import Simulator

Build = Callable[..., House]


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    """Builds a house; ``settings`` are those of its server."""
    folder = Path(tempfile.mkdtemp(prefix="hrims-faults-", dir=_fastest()))
    folder.chmod(0o711)
    with ExitStack() as ends:

        def made(**settings: str) -> House:
            remote = Simulator(
                sizes=dict.fromkeys(VOTES, SIZE), scale=0.02, latency_ms=80, jitter_ms=40, failure_rate=0
            )
            ends.callback(remote.close)
            server = Server(folder / "state", **settings)
            ends.callback(remove_when_stopped, folder / "state")
            ends.callback(server.share.close)
            house = House(server, remote, tmp_path)
            ends.callback(house.close)
            return house

        yield made
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def house(build: Build) -> House:
    """A house without workers."""
    return build()
