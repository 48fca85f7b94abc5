"""The product as it runs, for a browser to look at: a database and a simulator come in; a web process
and a worker run on them.
"""

import contextlib
import signal
from pathlib import Path

from hrims.db import Connection
from hrims.errors import Conflict
from hrims.jobs import control
from tests.support.databases import execute_as_owner
from tests.support.harness import TIMEOUT, World
from tests.support.served import Served, free_port
from tests.support.simulated import Simulator
from tests.support.users import ASHA

NAME, SUPERVISOR, ADMINISTRATOR = "asha", "juma", "binti"
"""An officer, a supervisor and an administrator. All have the same password."""

OF_RUNS = (
    "runs, run_requesters, run_progress, run_pages, run_attempts, rejects, preview_people, employees, "
    "employee_changes, listings, departures, departure_people, employee_events, workplaces, reject_cases, "
    "run_cases, run_drift, run_starts, webhook_messages, webhook_tries, webhook_endpoints, batches, "
    "batch_members, schedules, schedule_firings, approvals"
)


class Stage(World):
    """A world with a web process on a port of its own, and the users of CAST."""

    def __init__(self, dsn: str, conn: Connection, simulator: Simulator, folder: Path) -> None:
        super().__init__(dsn, conn, simulator, folder)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.web: Served | None = None
        [(self.seeded,)] = self.rows("SELECT max(id) FROM institutions")

    def start_web(self) -> None:
        """Start the web process as the product does, and wait until it answers."""
        if self.web is None:
            self.web = Served(self.folder, self.env(), port=self.port)
        else:
            self.web.start()

    def stop_web(self) -> None:
        """End the web process."""
        if self.web:
            self.web.stop()

    def stop_workers(self) -> None:
        """Stop the workers and wait until they have ended."""
        running = [worker for worker in self.workers if worker.poll() is None]
        for worker in running:
            worker.send_signal(signal.SIGTERM)
        for worker in running:
            worker.wait(TIMEOUT)
        self.conn.execute("DELETE FROM procrastinate_workers")
        self.conn.execute("DELETE FROM workers")

    def clear(self) -> None:
        """Restore the initial state: all processes up, nothing held, no runs and no employees."""
        self.simulator.reset()
        for (run_id,) in self.rows("SELECT id FROM runs WHERE state IN ('waiting', 'delayed', 'active')"):
            with contextlib.suppress(Conflict):  # it may end just now
                control.cancel(self.conn, ASHA, run_id)
        if self.web is None or self.web.process.poll() is not None:
            self.start_web()
        if all(worker.poll() is not None for worker in self.workers):
            self.start_worker()
        self.wait_for_rows("SELECT count(*) FROM procrastinate_jobs WHERE status = 'doing'", [(0,)])
        self.wait_for_rows("SELECT count(*) > 0 FROM workers WHERE ended_at IS NULL", [(True,)])
        execute_as_owner(self.conn, f"TRUNCATE {OF_RUNS} RESTART IDENTITY".encode())
        self.conn.execute("DELETE FROM institutions WHERE id > %s", (self.seeded,))
        self.conn.execute(
            "UPDATE institutions SET pool = NULL, attempts = NULL, attempt_pause = NULL,"
            " deadline_minutes = NULL"
        )
        # The users of a package of tests have signed in once, perhaps long ago.
        self.conn.execute("UPDATE sessions SET confirmed_at = now(), last_seen_at = now()")
        self.conn.execute(
            "UPDATE queue_settings SET starts_by_person = NULL,"
            " paused_at = NULL, paused_by = NULL, paused_why = NULL"
        )

    def close(self) -> None:
        """End web process and workers."""
        self.stop_web()
        super().close()
