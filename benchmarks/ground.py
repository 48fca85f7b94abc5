"""The ground of the figures about runs: an embedded Postgres with fsync on, the simulator, and real
workers on databases of their own. A run is asked for as the product does; its times come out.
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

from hrims import postgres
from hrims.access.audit import Actor
from hrims.config import PROJECT
from hrims.db import Connection
from hrims.jobs import ask
from hrims.migrate import migrate
from hrims.register import store, table
from tests.simulated import Simulator

REGISTER = PROJECT / "hrims" / "simulator" / "institutions.csv"
PATIENCE = 600.0
"""Seconds after which a run that does not end fails its benchmark."""

TICKS = os.sysconf("SC_CLK_TCK")


class Took(NamedTuple):
    """One run: its id, seconds from its start to its last commit, and the worker's processor seconds."""

    run_id: int
    seconds: float
    cpu: float


class Ground:
    """A server and a simulator; databases are made on it, and workers started."""

    def __init__(self, dsn: str, simulator: Simulator, folder: Path) -> None:
        self.dsn, self.simulator, self.folder = dsn, simulator, folder
        self._made = 0
        self._template = self._database("template0")
        migrate(self._template)
        with psycopg.connect(self._template, autocommit=True) as conn:
            table.seed(conn, REGISTER)

    @contextlib.contextmanager
    def database(self) -> Iterator["Base"]:
        """A fresh database with the demo register."""
        name = psycopg.conninfo.conninfo_to_dict(self._template)["dbname"]
        dsn = self._database(str(name))
        with psycopg.connect(dsn, autocommit=True) as conn:
            yield Base(dsn, conn, self)
        self._execute("DROP DATABASE {} WITH (FORCE)", str(psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]))

    def _database(self, template: str) -> str:
        self._made += 1
        name = f"ground_{self._made}"
        self._execute("CREATE DATABASE {} TEMPLATE {}", name, template)
        return make_conninfo(self.dsn, dbname=name)

    def _execute(self, words: Any, *names: str) -> None:
        with psycopg.connect(self.dsn, autocommit=True) as conn:
            conn.execute(sql.SQL(words).format(*map(sql.Identifier, names)))


class Base:
    """One database and its worker."""

    def __init__(self, dsn: str, conn: Connection, ground: Ground) -> None:
        self.dsn, self.conn, self.ground = dsn, conn, ground
        self.pid = 0

    @contextlib.contextmanager
    def worker(self, **settings: str) -> Iterator[None]:
        """A real worker with the settings' defaults; its log is shown when it fails."""
        log = self.ground.folder / "worker.log"
        with log.open("wb") as out:
            process = subprocess.Popen(
                [str(Path(sys.executable).with_name("hrims")), "worker"],
                env={**environment(self.ground, self.dsn), **settings},
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

    def run(self, vote: str, page_size: int = 100) -> Took:
        """Asks for a run, waits for its end, and checks that it is complete."""
        institution = store.institution_by(self.conn, "votecode", vote)
        assert institution
        before = cpu(self.pid)
        run_id = ask.ask(
            self.conn,
            Actor("benchmark", "system"),
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
        return Took(run_id, ended - row[2], cpu(self.pid) - before)

    def _until(self, question: str) -> None:
        until = time.monotonic() + PATIENCE
        while not self.conn.execute(question.encode()).fetchall():
            assert time.monotonic() < until, question
            time.sleep(0.005)


@contextlib.contextmanager
def ground(sizes: dict[str, int], **simulated: Any) -> Iterator[Ground]:
    """Everything, with these institutions' people made beforehand; all of it gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="hrims-bench-"))
    folder.chmod(0o711)  # as root the server is another account, which has to reach its data
    try:
        with Simulator(sizes=sizes, **simulated) as simulator:
            for vote in sizes:
                simulator.make_people(vote=vote)
            server = postgres.join(folder / "state")
            try:
                yield Ground(server.dsn, simulator, folder)
            finally:
                server.leave(60)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def environment(on: Ground, dsn: str) -> dict[str, str]:
    """The environment of a process that works on this ground, with no settings of ours in it."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("HRIMS_")}
    return {
        **own,
        "DATABASE_URL": dsn,
        "HRIMS_BASE_URL": on.simulator.url,
        "HRIMS_STATE_DIR": str(on.folder / "of-the-worker"),
        "HRIMS_STARTS_PER_MINUTE": "10000",
    }


def cpu(pid: int) -> float:
    """Processor seconds, user and system, that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS
