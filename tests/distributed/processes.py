"""Servers that the tests start, each with a folder and a port of its own: PostgreSQL 15 and PgBouncer."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict

from hrims.postgres.account import server_account
from tests.distributed.programs import require_program
from tests.support.served import free_port
from tests.support.shared import memory_folder

START_SECONDS = 60.0


@contextmanager
def folder() -> Iterator[Path]:
    """Provide a folder that the account of database servers can write to, removed at the end."""
    made = Path(tempfile.mkdtemp(prefix="hrims-tests-", dir=memory_folder()))
    if account := server_account(None):
        os.chown(made, account.uid, account.gid)
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


class Child:
    """One server process under the account of database servers."""

    def __init__(self, home: Path, address: str) -> None:
        self.home, self.address, self.port = home, address, free_port()
        self.log = home / f"{type(self).__name__.lower()}-{self.port}.log"
        account = server_account(None)
        self._who: dict[str, Any] = account.as_popen() if account else {}
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def command(self) -> list[str]:
        """Return the command that is started."""
        raise NotImplementedError

    def dsn(self, database: str = "hrims") -> str:
        """Return how clients reach it."""
        return f"postgresql://hrims@{self.address}:{self.port}/{database}"

    def run(self, *command: str | Path) -> None:
        """Run a program to its end."""
        done = subprocess.run(
            command, cwd=self.home, capture_output=True, text=True, check=False, **self._who
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"

    def start(self, database: str = "postgres") -> None:
        """Start it and waits until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.command,
                cwd=self.home,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **self._who,
            )
        until = time.monotonic() + START_SECONDS
        while not self._answers(database):
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < until, self.log.read_text()
            time.sleep(0.05)

    def _answers(self, database: str) -> bool:
        try:
            psycopg.connect(self.dsn(database), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def kill(self) -> None:
        """Kill the process with SIGKILL and then its children; the parent first, or it would start others."""
        if self.process is None or self.process.poll() is not None:
            return
        number = self.process.pid
        children = Path(f"/proc/{number}/task/{number}/children").read_text().split()
        for pid in [number, *map(int, children)]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue  # it went with the first
        self.process.wait()


class Pooler(Child):
    """PgBouncer in transaction mode before a server, with hardly anything set: what Debian installs."""

    SESSIONS = 5
    """Fewer than its clients, so that they truly share."""

    def __init__(self, home: Path, server: str) -> None:
        super().__init__(home, "127.0.0.1")
        self._program = require_program("pgbouncer", "pgbouncer")
        behind = conninfo_to_dict(server)
        self._ini = home / "pgbouncer.ini"
        self._ini.write_text(
            "[databases]\n"
            f"* = host={behind['host']} port={behind['port']} user={behind['user']}\n"
            "[pgbouncer]\n"
            f"listen_addr = {self.address}\nlisten_port = {self.port}\nunix_socket_dir =\n"
            "auth_type = any\npool_mode = transaction\n"
            f"default_pool_size = {self.SESSIONS}\nmax_client_conn = 300\n"
        )
        self._ini.chmod(0o644)

    @property
    def command(self) -> list[str]:
        return [str(self._program), str(self._ini)]


class Server(Child):
    """Debian's PostgreSQL 15."""

    def __init__(self, home: Path, address: str = "127.0.0.1") -> None:
        super().__init__(home, address)
        self._programs = require_program("initdb", "postgresql-15").parent
        self.data = home / f"data-{self.port}"

    @property
    def command(self) -> list[str]:
        settings = {
            "listen_addresses": f"127.0.0.1,{self.address}",
            "port": self.port,
            "unix_socket_directories": "",
            # The machine goes on when a server is killed, and with it what was written to files.
            "fsync": "off",
        }
        options = [f"--{name}={value}" for name, value in settings.items()]
        return [str(self._programs / "postgres"), "-D", str(self.data), *options]

    def make(self, network: str = "127.0.0.1/32") -> None:
        """Start an empty server that trusts clients of this network, with the database hrims."""
        self.run(
            self._programs / "initdb",
            f"--pgdata={self.data}",
            "--username=hrims",
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        )
        with (self.data / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {network} trust\n")
        self.start()
        with psycopg.connect(self.dsn("postgres"), autocommit=True) as conn:
            conn.execute("CREATE DATABASE hrims")

    def follow(self, primary: "Server") -> None:
        """Become a standby of another server, with all that it has; no commit there is answered from then on
        before it is written here too.
        """
        self.run(
            self._programs / "pg_basebackup",
            f"--pgdata={self.data}",
            f"--dbname={primary.dsn('postgres')}",
            "--write-recovery-conf",
            "--checkpoint=fast",
            "--no-sync",
        )
        self.start()
        with psycopg.connect(primary.dsn(), autocommit=True) as conn:
            conn.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            conn.execute("SELECT pg_reload_conf()")
            until = time.monotonic() + START_SECONDS
            while conn.execute("SELECT sync_state FROM pg_stat_replication").fetchall() != [("sync",)]:
                assert time.monotonic() < until, self.log.read_text()
                time.sleep(0.05)

    def promote(self) -> None:
        """Promote the standby and wait until it is the primary."""
        self.run(self._programs / "pg_ctl", "promote", f"--pgdata={self.data}", "--wait")
