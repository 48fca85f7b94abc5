"""The whole walk with real processes: Postgres, the simulator and workers, each test its own."""

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hrims.config import PROJECT
from hrims.db import Connection
from hrims.follow import store
from hrims.follow.progress import Run
from hrims.jobs import ask
from hrims.register import store as register
from hrims.register import table
from tests.database.runs import ASHA
from tests.simulated import Simulator

PATIENCE = 60.0
"""Seconds after which a signal that does not come fails a test. No test asserts a shorter time."""

UNTOLD = 0.5
"""Seconds between two looks at what nobody is told of: a worker that came, time that passed."""

QUICK = {
    "HRIMS_BEAT_SECONDS": "0.3",
    "HRIMS_SILENT_SECONDS": "2",
    "HRIMS_STOP_SECONDS": "3",
    "HRIMS_PAGE_PAUSE": "0.05",
    "HRIMS_ATTEMPT_PAUSE": "0.1",
    "HRIMS_STARTS_PER_MINUTE": "10000",
}


def process_state(pid: int) -> str:
    """What a process does now: R runs, S sleeps, T is stopped, Z is dead, empty is gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


class Harness:
    """A database with the demo register, the address of an HRIMS, and the workers that a test starts."""

    def __init__(self, dsn: str, conn: Connection, url: str, folder: Path) -> None:
        self.dsn, self.conn, self.folder = dsn, conn, folder
        self.workers: list[subprocess.Popen[bytes]] = []
        self.patience = PATIENCE
        self.settings = {**QUICK, "DATABASE_URL": dsn, "HRIMS_BASE_URL": url}

    def env(self) -> dict[str, str]:
        """The environment of a process in this world."""
        return {**os.environ, "HRIMS_STATE_DIR": str(self.folder), **self.settings}

    def start_worker(self, *command: str) -> subprocess.Popen[bytes]:
        """Starts ``hrims worker``, or another command from the virtual environment."""
        program, *words = command or ("hrims", "worker")
        log = (self.folder / f"worker-{len(self.workers)}.log").open("wb")
        worker = subprocess.Popen(
            [str(Path(sys.executable).with_name(program)), *words],
            env=self.env(),
            cwd=PROJECT,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        log.close()
        self.workers.append(worker)
        return worker

    def ask(self, vote: str = "001", page_size: int = 25) -> int:
        """Queues a run; returns its id."""
        institution = register.institution_by(self.conn, "votecode", vote)
        assert institution
        return ask.ask(
            self.conn,
            ASHA,
            institution_id=institution.id,
            identifier_type="votecode",
            identifier=vote,
            page_size=page_size,
        ).run_id

    def run(self, run_id: int) -> Run:
        """The run as it is now."""
        run = store.read(self.conn, run_id)
        assert run
        return run

    def until(self, run_id: int, reached: Callable[[Run], bool]) -> Run:
        """Waits for the run to be so, told by Postgres of every change of it."""
        with psycopg.connect(self.dsn, autocommit=True) as told:
            told.execute("LISTEN hrims_run")
            until = time.monotonic() + self.patience
            while not reached(run := self.run(run_id)):
                left = until - time.monotonic()
                assert left > 0, (
                    f"waited {self.patience} s in vain; run {run}\n{self.standing()}\n{self.logs()}"
                )
                select.select([told.fileno()], [], [], min(left, UNTOLD))
                list(told.notifies(timeout=0))
        return run

    def standing(self) -> str:
        """How queue, workers and their sessions stand, for who waits in vain."""
        processes = [(worker.pid, worker.poll(), process_state(worker.pid)) for worker in self.workers]
        asked = {
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
        found = [f"{name}: {self.rows(sql)}" for name, sql in asked.items()]
        return "\n".join([f"processes: {processes}", *found])

    def until_ended(self, run_id: int) -> Run:
        """Waits for the run's end."""
        return self.until(run_id, lambda run: run.ended)

    def until_rows(self, sql: str, wanted: list[Any]) -> None:
        """Waits for a query to return this, for what nobody is told of."""
        until = time.monotonic() + PATIENCE
        while (found := self.rows(sql)) != wanted:
            assert time.monotonic() < until, (
                f"waited {PATIENCE} s for {wanted}, found {found}\n{self.standing()}\n{self.logs()}"
            )
            time.sleep(0.02)

    def rows(self, sql: str) -> list[Any]:
        """What a query returns."""
        return self.conn.execute(sql.encode()).fetchall()

    def logs(self) -> str:
        """What the workers said."""
        return "\n".join(log.read_text()[-3000:] for log in sorted(self.folder.glob("worker-*.log")))

    def close(self) -> None:
        """Ends the workers."""
        for worker in self.workers:
            if worker.poll() is None:
                worker.send_signal(signal.SIGCONT)
                worker.kill()
            worker.wait()


class World(Harness):
    """A harness whose HRIMS is the simulator."""

    def __init__(self, dsn: str, conn: Connection, simulator: Simulator, folder: Path) -> None:
        super().__init__(dsn, conn, simulator.url, folder)
        self.simulator = simulator


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """A simulator with 240 people at the ministry of health."""
    with Simulator(sizes={"001": 240}, scale=0.05) as running:
        yield running


@pytest.fixture
def world(dsn: str, simulator: Simulator, tmp_path: Path) -> Iterator[World]:
    """A world without workers."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        table.seed(conn, PROJECT / "hrims" / "simulator" / "institutions.csv")
        made = World(dsn, conn, simulator, tmp_path)
        yield made
        made.close()
