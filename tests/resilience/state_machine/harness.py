"""The harness of the state machines: a database, a simulator and workers, which all examples share."""

import signal
import subprocess
import time
from itertools import cycle

from tests.resilience.scenarios.runner import VOTES
from tests.support.harness import World

SIZE, PAGE_SIZE = 60, 8

SETTINGS = {
    "HRIMS_EDGES_AFTER": "0",
    "HRIMS_SILENT_SECONDS": "1.5",
    "HRIMS_READ_TIMEOUT": "1",
    "HRIMS_PAGE_PAUSE": "0.02",
    "HRIMS_PROBE_PAUSE": "0.2",
}


class Harness:
    """A world, and its workers: running, frozen or ended."""

    def __init__(self, world: World) -> None:
        self.world, self.remote = world, world.simulator
        world.settings |= SETTINGS
        self.votes = cycle(VOTES)
        self.frozen: list[subprocess.Popen[bytes]] = []

    @property
    def alive(self) -> list[subprocess.Popen[bytes]]:
        """Return the running workers."""
        return [
            worker for worker in self.world.workers if worker.poll() is None and worker not in self.frozen
        ]

    def start(self) -> None:
        """Start a worker."""
        self.world.start_worker()

    def kill(self) -> None:
        """Kill the first worker and wait until it has ended; until then it would count as running."""
        worker = self.alive[0]
        worker.kill()
        worker.wait()

    def freeze(self) -> None:
        """Freeze the first worker."""
        worker = self.alive[0]
        worker.send_signal(signal.SIGSTOP)
        self.frozen.append(worker)

    def resume(self) -> None:
        """Resume the worker that was frozen first."""
        self.frozen.pop(0).send_signal(signal.SIGCONT)

    def listed(self, vote: str) -> list[str | None]:
        """Return the ZanIDs that the remote lists now, in order; None for a record without one."""
        return [person["zan_id"] for person in self.remote.people(vote=vote)]

    def proceed(self, run_id: int, requests: int) -> None:
        """Wait for this many more requests, or for the end of the run."""
        until = self.remote.counters()["requests"] + requests
        while self.remote.counters()["requests"] < until and not self.world.run(run_id).ended:
            time.sleep(0.01)
