"""A harness in which work never ends: a server of its own, HRIMS' stand-in, workers, and runs that are asked
for again as soon as they have ended; what became of all of them goes out.
"""

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import psycopg

from hrims.config import Settings
from hrims.errors import Conflict
from hrims.installation import DEMO_REGISTER
from hrims.institutions import importer
from hrims.jobs import control
from hrims.runs.model import Run
from tests.resilience.faults import loss_queries
from tests.resilience.faults.loss_queries import Lists, Loss
from tests.resilience.faults.server import LOOK, Server
from tests.support.harness import World, process_state
from tests.support.simulated import Simulator
from tests.support.users import ASHA

VOTES = ("001", "002", "003", "005")

SIZE, PAGE_SIZE = 240, 10

WITHIN = 10.0
"""Seconds after the database's return within which a page is saved."""

T = TypeVar("T")


class FaultHarness(World):
    """A world that stands database faults: what a test asks is asked again once the database is back."""

    def __init__(self, server: Server, simulator: Simulator, folder: Path) -> None:
        self.server = server
        super().__init__(server.dsn, server.connect(), simulator, folder)
        importer.seed(self.conn, DEMO_REGISTER)
        self.asked: dict[str, int] = {}
        self.ended: list[Run] = []
        self.tried_again = 0
        self.lost: set[int] = set()

    # what a test asks, whether or not the database is there just now

    def rows(self, sql: str) -> list[Any]:
        """Return what a query returns."""
        return self._again(lambda: super(FaultHarness, self).rows(sql))

    def run(self, run_id: int) -> Run:
        """Return the run as it is now."""
        return self._again(lambda: super(FaultHarness, self).run(run_id))

    def enqueue(self, vote: str = VOTES[0], page_size: int = PAGE_SIZE) -> int:
        """Enqueue a run, or find the one under way: a response may have been lost. Return its id."""
        return self._again(lambda: super(FaultHarness, self).enqueue(vote, page_size))

    def wait_until(self, run_id: int, reached: Callable[[Run], bool]) -> Run:
        """Wait for the run to be so."""
        self.wait(lambda: reached(self.run(run_id)), lambda: f"{self.run(run_id)}\n{self._attempts(run_id)}")
        return self.run(run_id)

    def _attempts(self, run_id: int) -> list[Any]:
        return self.rows(f"SELECT * FROM run_attempts WHERE run_id = {run_id} ORDER BY number")

    def wait(self, reached: Callable[[], Any], what: str | Callable[[], str]) -> Any:
        """Poll until the condition holds; fail with the current state if it does not."""
        end = time.monotonic() + self.timeout
        while not (found := reached()):
            assert time.monotonic() < end, (
                f"waited {self.timeout} s in vain for {what if isinstance(what, str) else what()}\n"
                f"{self.describe_state()}\n{self.logs()}"
            )
            time.sleep(LOOK)
        return found

    def _again(self, work: Callable[[], T]) -> T:
        end = time.monotonic() + self.timeout
        while True:
            try:
                return work()
            except (psycopg.OperationalError, psycopg.InterfaceError):
                assert time.monotonic() < end, f"the database did not come back\n{self.logs()}"
                self.conn.close()
                self.server.back()
                self.conn = self.server.connect()

    def close(self) -> None:
        """End the workers."""
        super().close()
        self.conn.close()

    # work that never ends

    def keep_busy(self, votes: tuple[str, ...] = VOTES) -> None:
        """Keep a run of every institution under way: enqueue missing ones and retry failed ones."""
        for vote in votes:
            run_id = self.asked.get(vote)
            if run_id is not None:
                run = self.run(run_id)
                if not run.ended:
                    continue
                self._judge(run)
                if run.state == "failed":
                    continue
            self.asked[vote] = self.enqueue(vote)

    def finish(self) -> list[Run]:
        """Wait for the runs under way, enqueue no others, and return all that have ended."""
        for vote in list(self.asked):
            while self._judge(self.wait_for_end(self.asked[vote])).state == "failed":
                pass
            del self.asked[vote]
        return self.ended

    def _judge(self, run: Run) -> Run:
        """Note how a run has ended; one whose workers died too often is tried again, as a person would."""
        if run.state != "failed":
            self.ended.append(run)
            return run
        assert run.trouble_code == "worker_died", f"{run}\n{self.describe_state()}\n{self.logs()}"
        assert run.trouble
        assert run.trouble.startswith("Its worker died ")
        self.tried_again += self._again(lambda: self._retry(run.id))
        return run

    def _retry(self, run_id: int) -> bool:
        try:
            control.retry(self.conn, ASHA, run_id)
        except Conflict:
            return False  # the answer to the first try got lost
        return True

    def pages(self) -> dict[int, int]:
        """Return pages that are saved, by the process id of the worker that saved them."""
        return dict(self.rows(loss_queries.BY_WORKER))

    def until_saved(self, pages: int = 1) -> list[float]:
        """Wait until every worker has saved so many more pages, and keeps all of them busy meanwhile;
        returns the moments at which the first had done so, the next, and so on.
        """
        before = self.pages()
        slow, moments = {worker.pid for worker in self.working}, list[float]()

        def all_have() -> bool:
            self.keep_busy()
            now = self.pages()
            for pid in {
                worker_pid
                for worker_pid in slow
                if now.get(worker_pid, 0) >= before.get(worker_pid, 0) + pages
            }:
                slow.remove(pid)
                moments.append(time.monotonic())
            return not slow

        self.wait(all_have, f"{pages} more pages of each worker")
        return moments

    def until_pages(self, pages: int) -> None:
        """Wait until so many pages are saved, by any worker. Keep all workers busy meanwhile."""

        def enough() -> bool:
            self.keep_busy()
            return sum(self.pages().values()) >= pages

        self.wait(enough, f"{pages} pages")

    def seconds_to_a_page(self) -> list[float]:
        """Return the seconds from the first connection to each worker's next saved page, sorted."""
        back = self.server.back()
        return [moment - back for moment in self.until_saved()]

    # workers that are lost

    @property
    def working(self) -> list[subprocess.Popen[bytes]]:
        """Return the workers that were not lost."""
        return [worker for worker in self.workers if worker.pid not in self.lost]

    def attempts_of(self, pid: int) -> list[tuple[int, int]]:
        """Return the attempts (run, number) that this worker has under way."""
        return self.rows(loss_queries.UNDER_WAY.format(pid))

    def until_at_work(self, *workers: subprocess.Popen[bytes]) -> None:
        """Wait until each of these workers has an attempt under way."""

        def are() -> bool:
            self.keep_busy()
            return all(self.attempts_of(worker.pid) for worker in workers)

        self.wait(are, f"attempts of workers {[worker.pid for worker in workers]}")

    def lose(self, worker: subprocess.Popen[bytes], kill_signal: signal.Signals) -> list[Loss]:
        """Kill or freeze a worker and return the attempts that it left under way."""
        worker.send_signal(kill_signal)
        self.lost.add(worker.pid)
        if kill_signal == signal.SIGKILL:
            worker.wait()
        else:
            self.wait(lambda: process_state(worker.pid) == "T", "the worker to stand still")
        [(at,)] = self.rows("SELECT clock_timestamp()")
        return [Loss(*attempt, at) for attempt in self.attempts_of(worker.pid)]

    def comes_back(self, worker: subprocess.Popen[bytes]) -> None:
        """Resume a frozen worker."""
        self.lost.remove(worker.pid)
        worker.send_signal(signal.SIGCONT)

    def leaves(self, worker: subprocess.Popen[bytes]) -> None:
        """Record that a worker has stopped in order."""
        self.lost.add(worker.pid)

    def seconds_to_go_on(self, losses: list[Loss]) -> list[float]:
        """Return the seconds from each loss to the next attempt.

        Omit attempts that finished anyway: a COMMIT that was sent takes effect after its sender died.
        """
        found = [
            self.rows(loss_queries.FOLLOWED.format(loss.at.isoformat(), loss.run, loss.number))
            for loss in losses
        ]
        return [float(seconds) for rows in found for (seconds,) in rows]

    def logs(self) -> str:
        """Return what the workers said that began last."""
        logs = sorted(self.folder.glob("worker-*.log"), key=lambda log: log.stat().st_mtime)
        return "\n".join(f"--- {log.name}\n{log.read_text()[-3000:]}" for log in logs[-6:])

    # what became of it

    def lists(self, vote: str) -> Lists:
        """Return the people that HRIMS lists and those that Postgres lists."""
        listed = [person["zan_id"] for person in self.simulator.people(vote=vote) if person["zan_id"]]
        return Lists(vote, listed, [zan_id for (zan_id,) in self.rows(loss_queries.SAVED.format(vote))])

    def until_all_live(self) -> None:
        """Wait until every worker process writes its heartbeat and listens for jobs."""
        expected = [(len(self.working), len(self.working))]
        beat = float(self.settings.get("HRIMS_BEAT_SECONDS", Settings().beat_seconds))
        self.rows(f"SELECT pg_sleep({3 * beat})")  # earlier heartbeats have expired by now
        self.wait(
            lambda: self.rows(loss_queries.LIVE.format(3 * beat)) == expected, f"signs of life {expected}"
        )

    def check(self) -> list[Run]:
        """Wait for all runs and return them.

        Assert that each is complete and every employee saved once, and that no stale attempt saved anything.
        """
        runs = self.finish()
        standing = f"{[(run.id, run.state, run.outcome, run.trouble) for run in runs]}\n{self.logs()}"
        assert {run.outcome for run in runs} == {"complete"}, standing
        assert {(run.people or 0) + run.rejected for run in runs} == {SIZE}, standing
        lists = [self.lists(vote) for vote in VOTES]
        assert [(listing.vote, listing.lost, listing.twice) for listing in lists] == [
            (vote, set(), 0) for vote in VOTES
        ]
        everybody = {zan_id for listing in lists for zan_id in listing.listed}
        assert len(everybody) == sum(len(listing.saved) for listing in lists)
        assert self.rows("SELECT count(*), count(DISTINCT zan_id) FROM employees") == [
            (len(everybody), len(everybody))
        ]
        assert self.rows(loss_queries.LATE) == []
        assert all(worker.poll() is None for worker in self.working), self.describe_state()
        return runs


Build = Callable[..., FaultHarness]
"""A function that builds a harness. Its arguments are the settings of the server."""
