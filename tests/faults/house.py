"""A house in which work never ends: a server of its own, HRIMS' stand-in, workers, and runs that are asked
for again as soon as they have ended; what became of all of them goes out.
"""

import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import psycopg

from hrims.config import PROJECT, Settings
from hrims.errors import Conflict
from hrims.follow.progress import Run
from hrims.jobs import control
from hrims.register import table
from tests.database.runs import ASHA
from tests.faults import told
from tests.faults.server import LOOK, Server
from tests.faults.told import Lists, Loss
from tests.flow.conftest import World, process_state
from tests.simulated import Simulator

VOTES = ("001", "002", "003", "005")

SIZE, PAGE_SIZE = 240, 10

WITHIN = 10.0
"""Seconds after the database's return within which a page is saved."""

T = TypeVar("T")


class House(World):
    """A world that stands database faults: what a test asks is asked again once the database is back."""

    def __init__(self, server: Server, simulator: Simulator, folder: Path) -> None:
        self.server = server
        super().__init__(server.dsn, server.connect(), simulator, folder)
        table.seed(self.conn, PROJECT / "hrims" / "simulator" / "institutions.csv")
        self.asked: dict[str, int] = {}
        self.ended: list[Run] = []
        self.tried_again = 0
        self.lost: set[int] = set()

    # what a test asks, whether or not the database is there just now

    def rows(self, sql: str) -> list[Any]:
        """What a query returns."""
        return self._again(lambda: super(House, self).rows(sql))

    def run(self, run_id: int) -> Run:
        """The run as it is now."""
        return self._again(lambda: super(House, self).run(run_id))

    def ask(self, vote: str = VOTES[0], page_size: int = PAGE_SIZE) -> int:
        """Queues a run, or finds the one that is under way: an answer may have got lost. Returns its id."""
        return self._again(lambda: super(House, self).ask(vote, page_size))

    def until(self, run_id: int, reached: Callable[[Run], bool]) -> Run:
        """Waits for the run to be so."""
        self.wait(lambda: reached(self.run(run_id)), lambda: f"{self.run(run_id)}\n{self._attempts(run_id)}")
        return self.run(run_id)

    def _attempts(self, run_id: int) -> list[Any]:
        return self.rows(f"SELECT * FROM run_attempts WHERE run_id = {run_id} ORDER BY number")

    def wait(self, reached: Callable[[], Any], what: str | Callable[[], str]) -> Any:
        """Waits for something that nobody is told of; says how things stand when it does not come."""
        end = time.monotonic() + self.patience
        while not (found := reached()):
            assert time.monotonic() < end, (
                f"waited {self.patience} s in vain for {what if isinstance(what, str) else what()}\n"
                f"{self.standing()}\n{self.logs()}"
            )
            time.sleep(LOOK)
        return found

    def _again(self, work: Callable[[], T]) -> T:
        end = time.monotonic() + self.patience
        while True:
            try:
                return work()
            except (psycopg.OperationalError, psycopg.InterfaceError):
                assert time.monotonic() < end, f"the database did not come back\n{self.logs()}"
                self.conn.close()
                self.server.back()
                self.conn = self.server.connect()

    def close(self) -> None:
        """Ends the workers, and asks no more."""
        super().close()
        self.conn.close()

    # work that never ends

    def keep_busy(self, votes: tuple[str, ...] = VOTES) -> None:
        """Every institution has a run under way: who has none is asked for, who gave up is tried again."""
        for vote in votes:
            run_id = self.asked.get(vote)
            if run_id is not None:
                run = self.run(run_id)
                if not run.ended:
                    continue
                self._judge(run)
                if run.state == "failed":
                    continue
            self.asked[vote] = self.ask(vote)

    def finish(self) -> list[Run]:
        """Waits for the runs that are under way, and asks for no others; returns all that have ended."""
        for vote in list(self.asked):
            while self._judge(self.until_ended(self.asked[vote])).state == "failed":
                pass
            del self.asked[vote]
        return self.ended

    def _judge(self, run: Run) -> Run:
        """Notes how a run has ended; one whose workers died too often is tried again, as a person would."""
        if run.state != "failed":
            self.ended.append(run)
            return run
        assert run.trouble_code == "worker_died", f"{run}\n{self.standing()}\n{self.logs()}"
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
        """Pages that are saved, by the process id of the worker that saved them."""
        return dict(self.rows(told.BY_WORKER))

    def until_saved(self, pages: int = 1) -> list[float]:
        """Waits until every worker has saved so many more pages, and keeps all of them busy meanwhile;
        returns the moments at which the first had done so, the next, and so on.
        """
        before = self.pages()
        slow, moments = {worker.pid for worker in self.working}, list[float]()

        def all_have() -> bool:
            self.keep_busy()
            now = self.pages()
            for pid in {one for one in slow if now.get(one, 0) >= before.get(one, 0) + pages}:
                slow.remove(pid)
                moments.append(time.monotonic())
            return not slow

        self.wait(all_have, f"{pages} more pages of each worker")
        return moments

    def until_pages(self, pages: int) -> None:
        """Waits until so many pages are saved, by whomever, and keeps everybody busy meanwhile."""

        def enough() -> bool:
            self.keep_busy()
            return sum(self.pages().values()) >= pages

        self.wait(enough, f"{pages} pages")

    def seconds_to_a_page(self) -> list[float]:
        """From the moment at which a plain connection works to the next page of each worker that is saved,
        the quickest first.
        """
        back = self.server.back()
        return [moment - back for moment in self.until_saved()]

    # workers that are lost

    @property
    def working(self) -> list[subprocess.Popen[bytes]]:
        """Workers that were not lost."""
        return [worker for worker in self.workers if worker.pid not in self.lost]

    def attempts_of(self, pid: int) -> list[tuple[int, int]]:
        """The attempts (run, number) that this worker has under way."""
        return self.rows(told.UNDER_WAY.format(pid))

    def until_at_work(self, *workers: subprocess.Popen[bytes]) -> None:
        """Waits until each of these workers has an attempt under way."""

        def are() -> bool:
            self.keep_busy()
            return all(self.attempts_of(worker.pid) for worker in workers)

        self.wait(are, f"attempts of workers {[worker.pid for worker in workers]}")

    def lose(self, worker: subprocess.Popen[bytes], how: signal.Signals) -> list[Loss]:
        """Kills or freezes a worker; returns what it has left under way."""
        worker.send_signal(how)
        self.lost.add(worker.pid)
        if how == signal.SIGKILL:
            worker.wait()
        else:
            self.wait(lambda: process_state(worker.pid) == "T", "the worker to stand still")
        [(at,)] = self.rows("SELECT clock_timestamp()")
        return [Loss(*attempt, at) for attempt in self.attempts_of(worker.pid)]

    def comes_back(self, worker: subprocess.Popen[bytes]) -> None:
        """A worker that was frozen goes on as if nothing had been."""
        self.lost.remove(worker.pid)
        worker.send_signal(signal.SIGCONT)

    def leaves(self, worker: subprocess.Popen[bytes]) -> None:
        """A worker has ended in order."""
        self.lost.add(worker.pid)

    def seconds_to_go_on(self, losses: list[Loss]) -> list[float]:
        """From each loss to the attempt that followed it; of attempts that were over all the same, nothing:
        a COMMIT that is on its way outlives who sent it.
        """
        found = [self.rows(told.FOLLOWED.format(one.at.isoformat(), one.run, one.number)) for one in losses]
        return [float(seconds) for rows in found for (seconds,) in rows]

    def logs(self) -> str:
        """What the workers said that began last."""
        logs = sorted(self.folder.glob("worker-*.log"), key=lambda log: log.stat().st_mtime)
        return "\n".join(f"--- {log.name}\n{log.read_text()[-3000:]}" for log in logs[-6:])

    # what became of it

    def lists(self, vote: str) -> Lists:
        """Whom HRIMS lists, and whom Postgres does."""
        listed = [one["zan_id"] for one in self.simulator.people(vote=vote) if one["zan_id"]]
        return Lists(vote, listed, [zan_id for (zan_id,) in self.rows(told.SAVED.format(vote))])

    def until_all_live(self) -> None:
        """Wait until every worker process writes its heartbeat and listens for jobs."""
        wanted = [(len(self.working), len(self.working))]
        beat = float(self.settings.get("HRIMS_BEAT_SECONDS", Settings.beat_seconds))
        self.rows(f"SELECT pg_sleep({3 * beat})")  # whoever has fallen silent before is so by now
        self.wait(lambda: self.rows(told.LIVE.format(3 * beat)) == wanted, f"signs of life {wanted}")

    def check(self) -> list[Run]:
        """Waits for all runs: each is complete, everybody is there once, and nobody saved what was theirs no
        more; returns the runs.
        """
        runs = self.finish()
        words = f"{[(run.id, run.state, run.outcome, run.trouble) for run in runs]}\n{self.logs()}"
        assert {run.outcome for run in runs} == {"complete"}, words
        assert {(run.people or 0) + run.rejected for run in runs} == {SIZE}, words
        lists = [self.lists(vote) for vote in VOTES]
        assert [(one.vote, one.lost, one.twice) for one in lists] == [(vote, set(), 0) for vote in VOTES]
        everybody = {zan_id for one in lists for zan_id in one.listed}
        assert len(everybody) == sum(len(one.saved) for one in lists)
        assert self.rows("SELECT count(*), count(DISTINCT zan_id) FROM employees") == [
            (len(everybody), len(everybody))
        ]
        assert self.rows(told.LATE) == []
        assert all(worker.poll() is None for worker in self.working), self.standing()
        return runs
