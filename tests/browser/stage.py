"""The product as it runs, for a browser to look at: a database and a simulator come in; a web process
and a worker run on them.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

from hrims.access import users
from hrims.config import PROJECT
from hrims.db import Connection
from hrims.jobs import control
from tests.database.runs import ASHA
from tests.flow.conftest import PATIENCE, World
from tests.simulated import Simulator

NAME, PASSWORD = "asha", "a wet monsoon"
"""Whoever signs in."""

OF_RUNS = "runs, run_progress, run_pages, run_attempts, rejects, employees, employee_changes, listings"


class Stage(World):
    """A world with a web process on a port of its own, and an officer who may sign in."""

    def __init__(self, dsn: str, conn: Connection, simulator: Simulator, folder: Path) -> None:
        super().__init__(dsn, conn, simulator, folder)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.settings["PORT"] = str(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.settings['PORT']}"
        self.web: subprocess.Popen[bytes] | None = None
        users.add_user(conn, ASHA, NAME, "officer", PASSWORD)

    def start_web(self) -> None:
        """Starts the web process as the product does, and waits until it answers."""
        with (self.folder / "web.log").open("ab") as log:
            self.web = subprocess.Popen(
                [str(Path(sys.executable).with_name("gunicorn")), "--config", "deploy/gunicorn.conf.py"],
                env=self.env(),
                cwd=PROJECT,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        until = time.monotonic() + PATIENCE
        while not self._answers():
            assert self.web.poll() is None, f"the web process ended\n{self.web_log()}"
            assert time.monotonic() < until, f"the web process does not answer\n{self.web_log()}"
            time.sleep(0.05)

    def stop_web(self) -> None:
        """Ends the web process at once, as a crash would."""
        if self.web and self.web.poll() is None:
            os.killpg(self.web.pid, signal.SIGKILL)
            self.web.wait()

    def stop_workers(self) -> None:
        """Asks the workers to end, and waits until they have."""
        running = [worker for worker in self.workers if worker.poll() is None]
        for worker in running:
            worker.send_signal(signal.SIGTERM)
        for worker in running:
            worker.wait(PATIENCE)
        self.conn.execute("DELETE FROM procrastinate_workers")

    def clear(self) -> None:
        """Everything as at the start: all processes up, nothing held, no run and nobody known."""
        self.simulator.reset()
        for (run_id,) in self.rows("SELECT id FROM runs WHERE state IN ('waiting', 'delayed', 'active')"):
            control.cancel(self.conn, ASHA, run_id)
        if not self._answers():
            self.start_web()
        if all(worker.poll() is not None for worker in self.workers):
            self.start_worker()
        self.until_rows("SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'", [(0,)])
        self.until_rows("SELECT count(*) > 0 FROM procrastinate_workers", [(True,)])
        self.conn.execute(f"TRUNCATE {OF_RUNS} RESTART IDENTITY".encode())

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.url}/healthz", timeout=PATIENCE, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def web_log(self) -> str:
        """What the web process said."""
        return (self.folder / "web.log").read_text()[-3000:]

    def close(self) -> None:
        """Ends web process and workers."""
        self.stop_web()
        super().close()
