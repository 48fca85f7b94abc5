"""The environment of the benchmarks of runs.

It has an embedded Postgres with fsync on, the simulator, and real workers on databases of their own. Runs are
enqueued as the product does. Output: their times.
"""

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from benchmarks import PROJECT
from hrims import postgres
from hrims.access.actor import system
from hrims.db import Connection
from hrims.installation import DEMO_REGISTER
from hrims.institutions import importer, store
from hrims.jobs import enqueue
from tests.support.simulated import Simulator
from tests.support.users import migrate_with_cast

RUN_TIMEOUT = 600.0
"""Seconds after which a run that has not ended fails its benchmark."""

TICKS = os.sysconf("SC_CLK_TCK")


class RunTiming(NamedTuple):
    """One run: its id, seconds from its start to its last commit, and the worker's processor seconds."""

    run_id: int
    seconds: float
    cpu_seconds: float


class RunEnvironment:
    """A database server and a simulator, with methods to create databases."""

    def __init__(self, dsn: str, simulator: Simulator, folder: Path) -> None:
        self.dsn, self.simulator, self.folder = dsn, simulator, folder
        self._made = 0
        self._template = self._database("template0")
        migrate_with_cast(self._template)
        with psycopg.connect(self._template, autocommit=True) as conn:
            importer.seed(conn, DEMO_REGISTER)

    @contextlib.contextmanager
    def database(self) -> Iterator["RunDatabase"]:
        """Provide a new database with the demo register."""
        name = psycopg.conninfo.conninfo_to_dict(self._template)["dbname"]
        dsn = self._database(str(name))
        with psycopg.connect(dsn, autocommit=True) as conn:
            yield RunDatabase(dsn, conn, self)
        self._execute("DROP DATABASE {} WITH (FORCE)", str(psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]))

    def _database(self, template: str) -> str:
        self._made += 1
        name = f"bench_{self._made}"
        self._execute("CREATE DATABASE {} TEMPLATE {}", name, template)
        return make_conninfo(self.dsn, dbname=name)

    def _execute(self, statement: Any, *names: str) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            conn.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


class RunDatabase:
    """One database and its worker."""

    def __init__(self, dsn: str, conn: Connection, run_environment: RunEnvironment) -> None:
        self.dsn, self.conn, self.run_environment = dsn, conn, run_environment
        self.pid = 0

    @contextlib.contextmanager
    def worker(self, **settings: str) -> Iterator[None]:
        """Run a real worker with the default settings; its log is shown if it fails."""
        log = self.run_environment.folder / "worker.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [str(Path(sys.executable).with_name("hrims")), "worker"],
                env={**process_environment(self.run_environment, self.dsn), **settings},
                cwd=PROJECT,
                stdout=out,
                stderr=out,
            )
        self.pid = process.pid
        try:
            self._until("SELECT FROM workers WHERE ended_at IS NULL")
            yield
        except BaseException:
            print(log.read_text()[-3000:])
            raise
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)

    def run(self, vote: str, page_size: int = 100) -> RunTiming:
        """Enqueue a run, wait for its end, and check that it is complete."""
        institution = store.find_institution_by(self.conn, "votecode", vote)
        assert institution
        before = cpu_seconds(self.pid)
        run_id = enqueue.enqueue_run(
            self.conn,
            system("benchmark"),
            institution_id=institution.id,
            identifier_type="votecode",
            identifier=vote,
            page_size=page_size,
        ).run_id
        self._until(f"SELECT FROM runs WHERE id = {run_id} AND finished_at IS NOT NULL")
        ended = time.time()
        row = self.conn.execute(
            "SELECT outcome, trouble, extract(epoch FROM started_at)::float8 FROM runs WHERE id = %s",
            (run_id,),
        ).fetchone()
        assert row
        assert row[0] in {"complete", "complete_after_repair"}, row
        return RunTiming(run_id, ended - row[2], cpu_seconds(self.pid) - before)

    def _until(self, query: str) -> None:
        until = time.monotonic() + RUN_TIMEOUT
        while not self.conn.execute(query.encode()).fetchall():
            assert time.monotonic() < until, query
            time.sleep(0.005)


@contextlib.contextmanager
def run_environment(sizes: dict[str, int], **simulated: Any) -> Iterator[RunEnvironment]:
    """Provide the environment, which is removed afterwards.

    The people of these institutions are created in advance.
    """
    folder = Path(tempfile.mkdtemp(prefix="hrims-bench-"))
    folder.chmod(0o711)  # as root, the server runs under another account, which must reach its data
    try:
        with Simulator(sizes=sizes, **simulated) as simulator:
            for vote in sizes:
                simulator.make_people(vote=vote)
            server = postgres.join(folder / "state")
            try:
                yield RunEnvironment(server.dsn, simulator, folder)
            finally:
                server.leave(60)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def process_environment(on: RunEnvironment, dsn: str) -> dict[str, str]:
    """Return the environment variables of a process in this environment, without our own HRIMS settings."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("HRIMS_")}
    return {
        **own,
        "DATABASE_URL": dsn,
        "HRIMS_BASE_URL": on.simulator.url,
        "HRIMS_STATE_DIR": str(on.folder / "of-the-worker"),
        "HRIMS_STARTS_PER_MINUTE": "10000",
    }


def cpu_seconds(pid: int) -> float:
    """Return the processor seconds, user and system, that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
