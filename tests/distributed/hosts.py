"""Hosts that share a network and nothing else: Linux network namespaces, each with a name of its own, on a
bridge where database and HRIMS stand. A host's cable can be pulled and put back.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests import PROJECT
from tests.distributed.programs import require_program
from tests.support.harness import World

NAMES = ("mkoani", "wete", "chake")

NETWORK = "198.18.{}"
"""Addresses that are set aside for tests of networks."""


class Hosts:
    """The bridge and what hangs on it. All names begin with that of the bridge."""

    def __init__(self) -> None:
        self._ip, self._unshare = require_program("ip", "iproute2"), require_program("unshare", "util-linux")
        self.bridge = f"hr{os.getpid() % 100_000}"
        prefix = NETWORK.format(os.getpid() % 250 + 1)
        self.address, self.network = f"{prefix}.1", f"{prefix}.0/24"
        self._addresses = {name: f"{prefix}.{number}" for number, name in enumerate(NAMES, start=11)}

    def make(self) -> None:
        """Bridge and hosts, connected. Skips the test, in words, where the kernel does not let us."""
        try:
            self.ip("link", "add", self.bridge, "type", "bridge")
        except subprocess.CalledProcessError as refused:
            pytest.skip(
                f"NOT RUN: no network namespaces here, root and Linux are needed ({refused.stderr!r})"
            )
        self.ip("addr", "add", f"{self.address}/24", "dev", self.bridge)
        self.ip("link", "set", self.bridge, "up")
        for name, address in self._addresses.items():
            space, outside = self._space(name), self._cable(name)
            self.ip("netns", "add", space)
            self.ip("link", "add", outside, "type", "veth", "peer", "name", "eth0", "netns", space)
            self.ip("link", "set", outside, "master", self.bridge, "up")
            for arguments in (("addr", "add", f"{address}/24", "dev", "eth0"), ("link", "set", "eth0", "up")):
                self.ip("-netns", space, *arguments)

    def pull(self, name: str) -> None:
        """Drop all packets of the host, without closing its connections."""
        self.ip("link", "set", self._cable(name), "down")

    def put_back(self, name: str) -> None:
        """Connect the host again."""
        self.ip("link", "set", self._cable(name), "up")

    def start_worker(self, world: World, name: str) -> "subprocess.Popen[bytes]":
        """Start a worker on this host, under this host name."""
        inside = f'hostname {name} && exec "$0" worker'
        with (world.folder / f"worker-{name}.log").open("wb") as log:
            worker = subprocess.Popen(
                [
                    *(str(self._ip), "netns", "exec", self._space(name)),
                    *(str(self._unshare), "--uts", "sh", "-c", inside),
                    str(Path(sys.executable).with_name("hrims")),
                ],
                env=world.env(),
                cwd=PROJECT,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        world.workers.append(worker)
        return worker

    def remove(self) -> None:
        """Remove everything that exists."""
        for name in NAMES:
            self.ip("link", "del", self._cable(name), check=False)
            self.ip("netns", "del", self._space(name), check=False)
        self.ip("link", "del", self.bridge, check=False)

    def ip(self, *arguments: str, check: bool = True) -> None:
        """Run ip."""
        subprocess.run([str(self._ip), *arguments], capture_output=True, text=True, check=check)

    def _space(self, name: str) -> str:
        return f"{self.bridge}-{name}"

    def _cable(self, name: str) -> str:
        return f"{self.bridge}-{NAMES.index(name)}"


@contextmanager
def hosts() -> Iterator[Hosts]:
    """Provide three hosts, gone at the end."""
    made = Hosts()
    try:
        made.make()
        yield made
    finally:
        made.remove()
