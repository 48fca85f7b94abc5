"""A harness for each test, on a server of its own: what is done to it would be in everybody's way."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.resilience.faults.harness import SIZE, VOTES, Build, FaultHarness
from tests.resilience.faults.server import Server
from tests.support.shared import memory_folder, remove_when_stopped
from tests.support.simulated import Simulator


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    """Build a harness; ``settings`` are those of its server."""
    folder = Path(tempfile.mkdtemp(prefix="hrims-faults-", dir=memory_folder()))
    folder.chmod(0o711)
    with ExitStack() as ends:

        def made(**settings: str) -> FaultHarness:
            remote = Simulator(
                sizes=dict.fromkeys(VOTES, SIZE), scale=0.02, latency_ms=80, jitter_ms=40, failure_rate=0
            )
            ends.callback(remote.close)
            server = Server(folder / "state", **settings)
            ends.callback(remove_when_stopped, folder / "state")
            ends.callback(server.share.close)
            harness = FaultHarness(server, remote, tmp_path)
            ends.callback(harness.close)
            return harness

        yield made
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def harness(build: Build) -> FaultHarness:
    """Return a harness without workers."""
    return build()
