"""What the processes log while the database is away: the reason at once, not too often, and its return."""

import itertools
import json
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from hrims.outages import QUIET_SECONDS
from hrims.postgres import Server, join
from tests.e2e.processes.product import HRIMS, TIMEOUT, env_of, run, wait_until
from tests.e2e.processes.signals import stop_worker
from tests.support.served import Served

PASSWORD = "the right password"
WRONG = "recognisable"
HBA = "local all app scram-sha-256\nlocal all all trust\n"
"""Only the role of the product needs a password; that of the embedded server does not."""

WORKERS = [("hrims", "worker"), ("procrastinate", "--app=hrims.jobs.queue.app", "worker")]


class Database:
    """A migrated database whose server can be stopped and started. ``url`` is for the role ``app``."""

    def __init__(self, state: Path) -> None:
        self.state, self._server = state, None
        state.mkdir()
        state.chmod(0o711)
        self._hba = state / "hba.conf"
        self._hba.write_text(HBA)
        self.server = self.start()
        with psycopg.connect(self.server.dsn, autocommit=True) as conn:
            conn.execute("CREATE ROLE app LOGIN SUPERUSER")
        self.set_password(PASSWORD)
        assert run("migrate", env={**env_of(state), "DATABASE_URL": self.url(PASSWORD)}).returncode == 0

    def start(self) -> Server:
        """Start the server."""
        self.server = join(self.state, fsync=False, settings={"hba_file": str(self._hba)})
        return self.server

    def stop(self) -> None:
        """Stop the server."""
        assert self.server.leave(TIMEOUT)

    def set_password(self, password: str) -> None:
        """Change the password that the server accepts."""
        with psycopg.connect(self.server.dsn, autocommit=True) as conn:
            conn.execute(f"ALTER ROLE app PASSWORD '{password}'".encode())

    def url(self, password: str) -> str:
        """Return the DSN of the product with this password."""
        return make_conninfo(self.server.dsn, user="app", password=password)


@pytest.fixture
def database(state: Path) -> Iterator[Database]:
    """Provide a database of the test's own."""
    made = Database(state)
    yield made
    made.server.close()


def events(log: Path) -> list[dict[str, Any]]:
    """Return the events of a log, of which the last line may be incomplete."""
    lines = log.read_text().splitlines(keepends=True)
    return [json.loads(line) for line in lines if line.endswith("\n")]


def named(log: Path, name: str) -> list[dict[str, Any]]:
    """Return the events of this name."""
    return [event for event in events(log) if event["event"] == name]


def start(command: tuple[str, ...], env: dict[str, str], log: Path) -> "subprocess.Popen[bytes]":
    """Start a worker that logs JSON."""
    program, *words = command
    with log.open("wb") as output:
        return subprocess.Popen(
            [str(Path(HRIMS).with_name(program)), *words],
            env={**env, "HRIMS_LOG_FORMAT": "json"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def is_quiet(away: list[dict[str, Any]]) -> bool:
    """Return whether there are ten seconds between each two events."""
    times = [datetime.fromisoformat(event["timestamp"]) for event in away]
    # The time of an event is that of its line, which is a little after the decision to log it.
    gaps = [(later - time).total_seconds() for time, later in itertools.pairwise(times)]
    return all(gap > QUIET_SECONDS - 1 for gap in gaps)


@pytest.mark.parametrize("command", WORKERS, ids=" ".join)
def test_a_wrong_password_is_said_at_once(
    database: Database, tmp_path: Path, command: tuple[str, ...]
) -> None:
    log = tmp_path / "worker.log"
    worker = start(command, {**env_of(database.state), "DATABASE_URL": database.url(WRONG)}, log)
    try:
        away = wait_until(lambda: named(log, "database_away"), log.read_text)[0]
        assert away["reason"] == "wrong_password"
        assert 'password authentication failed for user "app"' in away["message"]
        database.set_password(WRONG)
        wait_until(lambda: named(log, "worker_started"), log.read_text)
        assert named(log, "database_back")
    finally:
        assert stop_worker(worker) == 0
    assert is_quiet(named(log, "database_away"))
    assert WRONG not in log.read_text()


def test_a_worker_says_that_the_server_was_stopped_and_that_it_is_back(
    database: Database, tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    worker = start(WORKERS[0], {**env_of(database.state), "DATABASE_URL": database.url(PASSWORD)}, log)
    try:
        wait_until(lambda: named(log, "worker_started"), log.read_text)
        assert named(log, "database_away") == []
        database.stop()
        away = wait_until(lambda: named(log, "database_away"), log.read_text)
        reasons = {"session_ended", "connection_lost", "connection_refused", "stopping"}
        assert away[0]["reason"] in reasons, away[0]
        database.start()
        wait_until(lambda: named(log, "database_back"), log.read_text)
    finally:
        assert stop_worker(worker) == 0
    assert is_quiet(named(log, "database_away"))


def test_a_worker_says_that_the_database_is_read_only_until_it_can_be_written(
    database: Database, tmp_path: Path
) -> None:
    log = tmp_path / "worker.log"
    worker = start(WORKERS[0], {**env_of(database.state), "DATABASE_URL": database.url(PASSWORD)}, log)
    try:
        wait_until(lambda: named(log, "worker_started"), log.read_text)
        with psycopg.connect(database.server.dsn, autocommit=True) as conn:
            conn.execute("ALTER ROLE app SET default_transaction_read_only = on")
            conn.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'app'")
            wait_until(lambda: any(event["reason"] == "read_only" for event in named(log, "database_away")))
            backs = len(named(log, "database_back"))
            conn.execute("ALTER ROLE app RESET default_transaction_read_only")
            wait_until(lambda: len(named(log, "database_back")) > backs, log.read_text)
    finally:
        assert stop_worker(worker) == 0
    assert is_quiet(named(log, "database_away"))


def test_the_web_process_says_the_same(database: Database, tmp_path: Path) -> None:
    env = {**env_of(database.state), "DATABASE_URL": database.url(PASSWORD), "HRIMS_LOG_FORMAT": "json"}
    with Served(tmp_path, env) as web, httpx.Client(base_url=web.url, timeout=30, trust_env=False) as http:

        def is_database_used() -> bool:
            return bool(http.get("/readyz").json()["database"])

        assert is_database_used()
        database.stop()
        wait_until(lambda: not is_database_used() and named(web.log, "database_away"), web.log.read_text)
        assert named(web.log, "database_away")[0]["message"]
        assert named(web.log, "database_back") == []
        database.start()
        wait_until(lambda: is_database_used() and named(web.log, "database_back"), web.log.read_text)
    assert is_quiet(named(web.log, "database_away"))
