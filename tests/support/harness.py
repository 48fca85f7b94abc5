"""The harness of tests with real processes: a database, the simulator or another HRIMS, and workers."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg

from hrims.access.scope import EVERYTHING
from hrims.db import Connection
from hrims.institutions import store as institution_store
from hrims.jobs import enqueue
from hrims.runs import store
from hrims.runs.model import Run
from tests import PROJECT
from tests.support.fork_server import ForkedProcess
from tests.support.simulated import Simulator
from tests.support.users import ASHA

TIMEOUT = 60.0
"""Seconds after which a signal that does not come fails a test. No test asserts a shorter time."""

CHECK_EVERY = 0.5
"""Seconds between two checks of what no notification announces: a new worker, the time."""

QUICK = {
    "HRIMS_BEAT_SECONDS": "0.3",
    "HRIMS_SILENT_SECONDS": "2",
    "HRIMS_STOP_SECONDS": "3",
    "HRIMS_PAGE_PAUSE": "0.01",
    "HRIMS_ATTEMPT_PAUSE": "0.1",
    "HRIMS_STARTS_PER_MINUTE": "10000",
}


def process_state(pid: int) -> str:
    """Return the state of a process: R runs, S sleeps, T is stopped, Z is a zombie, empty is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


class Harness:
    """A database, the address of an HRIMS, and the workers that a test starts."""

    def __init__(self, dsn: str, conn: Connection, url: str, folder: Path) -> None:
        self.dsn, self.conn, self.folder = dsn, conn, folder
        self.workers: list[subprocess.Popen[bytes]] = []
        self.timeout = TIMEOUT
        self.settings = {**QUICK, "DATABASE_URL": dsn, "HRIMS_BASE_URL": url}

    def env(self) -> dict[str, str]:
        """Return the environment of a process of this harness."""
        return {**os.environ, "HRIMS_STATE_DIR": str(self.folder), **self.settings}

    def start_worker(self, *command: str) -> subprocess.Popen[bytes]:
        """Start ``hrims worker``, or another command that the fork server knows."""
        with (self.folder / f"worker-{len(self.workers)}.log").open("wb") as log:
            worker = ForkedProcess(*(command or ("hrims", "worker")), env=self.env(), stdout=log)
        self.workers.append(worker)
        return worker

    def start_program(self, *command: str) -> subprocess.Popen[bytes]:
        """Start another program as a worker."""
        with (self.folder / f"worker-{len(self.workers)}.log").open("wb") as log:
            worker = subprocess.Popen(
                command, env=self.env(), cwd=PROJECT, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        self.workers.append(worker)
        return worker

    def enqueue(self, vote: str = "001", page_size: int = 25) -> int:
        """Enqueue a run. Return its id."""
        institution = institution_store.find_institution_by(self.conn, "votecode", vote)
        assert institution
        return enqueue.enqueue_run(
            self.conn,
            ASHA,
            institution_id=institution.id,
            identifier_type="votecode",
            identifier=vote,
            page_size=page_size,
        ).run_id

    def run(self, run_id: int) -> Run:
        """Return the run as it is now."""
        run = store.find_run(self.conn, EVERYTHING, run_id)
        assert run
        return run

    def wait_until(self, run_id: int, reached: Callable[[Run], bool]) -> Run:
        """Wait for a condition of the run. Postgres notifies of each change. Return the run."""
        with psycopg.connect(self.dsn, autocommit=True) as listener:
            listener.execute("LISTEN hrims_run")
            until = time.monotonic() + self.timeout
            while not reached(run := self.run(run_id)):
                left = until - time.monotonic()
                assert left > 0, (
                    f"waited {self.timeout} s for the run: {run}\n{self.describe_state()}\n{self.logs()}"
                )
                select.select([listener.fileno()], [], [], min(left, CHECK_EVERY))
                list(listener.notifies(timeout=0))
        return run

    def describe_state(self) -> str:
        """Return the state of queue, workers and sessions, for the message of a failed wait."""
        processes = [(worker.pid, worker.poll(), process_state(worker.pid)) for worker in self.workers]
        requested = {
            "jobs": "SELECT id, status, worker_id, scheduled_at FROM procrastinate_jobs"
            " ORDER BY id DESC LIMIT 5",
            "workers": "SELECT id, now() - last_heartbeat FROM procrastinate_workers",
            "attempts": "SELECT run_id, number, started_at, ended_at, host, pid, ended_as, trouble"
            " FROM run_attempts"
            " ORDER BY run_id DESC, number DESC LIMIT 5",
            "sessions": "SELECT pid, application_name, state, wait_event, now() - state_change,"
            " left(query, 90), pg_blocking_pids(pid)"
            " FROM pg_stat_activity WHERE datname = current_database()",
        }
        found = [f"{name}: {self.rows(sql)}" for name, sql in requested.items()]
        return "\n".join([f"processes: {processes}", *found])

    def wait_for_end(self, run_id: int) -> Run:
        """Wait for the end of the run. Return the run."""
        return self.wait_until(run_id, lambda run: run.ended)

    def wait_for_rows(self, sql: str, wanted: list[Any]) -> None:
        """Wait until a query returns these rows, for what no notification announces."""
        until = time.monotonic() + TIMEOUT
        while (found := self.rows(sql)) != wanted:
            assert time.monotonic() < until, (
                f"waited {TIMEOUT} s for {wanted}, found {found}\n{self.describe_state()}\n{self.logs()}"
            )
            time.sleep(0.02)

    def rows(self, sql: str) -> list[Any]:
        """Return the rows of a query."""
        return self.conn.execute(sql.encode()).fetchall()

    def saved_zan_ids(self, vote: str) -> list[str]:
        """Return the ZanIDs that Postgres lists for this institution."""
        return [zan_id for (zan_id,) in self.rows(SAVED_ZAN_IDS.format(vote))]

    def runs_with_stale_pages(self) -> list[int]:
        """Return the runs with a page that an attempt saved after it had lost the run."""
        return [run_id for (run_id,) in self.rows(RUNS_WITH_STALE_PAGES)]

    def logs(self) -> str:
        """Return the end of each worker's log."""
        return "\n".join(log.read_text()[-3000:] for log in sorted(self.folder.glob("worker-*.log")))

    def close(self) -> None:
        """Kill the workers."""
        for worker in self.workers:
            if worker.poll() is None:
                worker.send_signal(signal.SIGCONT)
                worker.kill()
            worker.wait()


SAVED_ZAN_IDS = """
SELECT e.zan_id FROM listings l JOIN employees e ON e.id = l.employee_id
JOIN institutions i ON i.id = l.institution_id WHERE i.vote_code = '{}'
"""

RUNS_WITH_STALE_PAGES = """
SELECT DISTINCT p.run_id FROM run_pages p
JOIN run_attempts a ON a.run_id = p.run_id AND a.number = p.attempt
WHERE a.ended_as <> 'finished' AND p.saved_at > a.ended_at
"""


class World(Harness):
    """A harness whose HRIMS is the simulator."""

    def __init__(self, dsn: str, conn: Connection, simulator: Simulator, folder: Path) -> None:
        super().__init__(dsn, conn, simulator.url, folder)
        self.simulator = simulator
