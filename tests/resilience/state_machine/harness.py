"""What the state machine plays with: a database, a remote, at most two workers, kept from story to story."""

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
    """A world, and its workers: alive, frozen or gone."""

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
        """Kill the first worker and wait until it is gone; until then it would count as alive."""
        worker = self.alive[0]
        worker.kill()
        worker.wait()

    def freeze(self) -> None:
        """Freeze the first worker."""
        worker = self.alive[0]
        worker.send_signal(signal.SIGSTOP)
        self.frozen.append(worker)

    def wake(self) -> None:
        """Resume the worker that was frozen first."""
        self.frozen.pop(0).send_signal(signal.SIGCONT)

    def listed(self, vote: str) -> list[str | None]:
        """Return the ZanIDs that the remote lists now, in order; None for a record without one."""
        return [person["zan_id"] for person in self.remote.people(vote=vote)]

    def saved(self, vote: str) -> list[str]:
        """Return the ZanIDs that Postgres lists for this institution."""
        return [zan_id for (zan_id,) in self.world.rows(SAVED.format(vote))]

    def saved_by_zombies(self, run_id: int) -> int:
        """Return pages that an attempt saved after it had lost its run."""
        return int(self.world.rows(BY_ZOMBIES.format(run_id))[0][0])

    def proceed(self, run_id: int, requests: int) -> None:
        """Wait for this many more requests, or for the end of the run."""
        until = self.remote.counters()["requests"] + requests
        while self.remote.counters()["requests"] < until and not self.world.run(run_id).ended:
            time.sleep(0.01)


SAVED = """
SELECT e.zan_id FROM listings l JOIN employees e ON e.id = l.employee_id
JOIN institutions i ON i.id = l.institution_id WHERE i.vote_code = '{}'
"""

BY_ZOMBIES = """
SELECT count(*) FROM run_pages p JOIN run_attempts a ON a.run_id = p.run_id AND a.number = p.attempt
WHERE p.run_id = {} AND a.ended_as <> 'finished' AND p.saved_at > a.ended_at
"""
