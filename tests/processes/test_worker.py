"""The worker's own process: it loads no web, waits for its database, and can be started two ways."""

import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from hrims.config import PROJECT
from hrims.jobs.workers import store as workers
from hrims.register import table
from tests.processes.product import HRIMS, PATIENCE, env_of, run, until
from tests.simulated import Simulator

ALL_OF_IT = """
import sys
import hrims.cli, hrims.cli.worker, hrims.jobs.supervisor, hrims.sync.task
from hrims.jobs.queue import app
app.perform_import_paths()
print(*sorted(name.partition(".")[0] for name in sys.modules))
"""


def test_it_never_loads_the_web(state: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ALL_OF_IT], env=env_of(state), capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert {"procrastinate", "psycopg", "httpx", "msgspec"} <= loaded
    assert not loaded & {"flask", "werkzeug", "jinja2", "gunicorn", "flask_wtf", "htmx_flask"}
    assert not state.exists(), "importing starts no database"


@pytest.mark.parametrize(
    "command", [("hrims", "worker"), ("procrastinate", "--app=hrims.jobs.queue.app", "worker")], ids=" ".join
)
def test_both_ways_run_jobs_and_stop_when_asked(dsn: str, state: Path, command: tuple[str, ...]) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        table.seed(conn, PROJECT / "hrims" / "simulator" / "institutions.csv")
    with Simulator(sizes={"001": 60}, scale=0.05) as simulator:
        env = {**env_of(state), "DATABASE_URL": dsn, "HRIMS_BASE_URL": simulator.url}
        program, *words = command
        worker = subprocess.Popen([str(Path(HRIMS).with_name(program)), *words], env=env)
        try:
            done = run("sync", "--vote", "001", "--page-size", "20", env=env)
            assert done.returncode == 0, done.stdout + done.stderr
        finally:
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(PATIENCE) == 0


def test_a_pool_that_cannot_be_is_refused_and_nothing_is_started(dsn: str, state: Path) -> None:
    done = run("worker", "--pool", "Bad one", env={**env_of(state), "DATABASE_URL": dsn})
    assert done.returncode == 2
    assert "Invalid value for --pool: 'Bad one' does not do; give 1 to 30 small letters" in done.stderr


def test_it_says_what_it_serves(dsn: str, state: Path, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    with log.open("wb") as out:
        worker = subprocess.Popen(
            [HRIMS, "worker", "--pool", "health"],
            env={**env_of(state), "DATABASE_URL": dsn},
            stdout=out,
            stderr=out,
        )
    try:
        until(
            lambda: f"2 runs at once for the pool health, process {worker.pid}" in log.read_text(),
            log.read_text,
        )
    finally:
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE) == 0


def test_it_waits_for_a_database_that_is_not_migrated_yet(state: Path, tmp_path: Path) -> None:
    env = env_of(state)
    log = tmp_path / "worker.log"
    with log.open("wb") as out:
        worker = subprocess.Popen([HRIMS, "worker"], env=env, stdout=out, stderr=out)
    try:
        until(lambda: "Run `hrims migrate`" in log.read_text(), log.read_text)
        assert run("migrate", env=env).returncode == 0
        url = run("db", "url", env=env).stdout.strip()
        with psycopg.connect(url, autocommit=True) as conn:
            until(lambda: workers.alive(conn) == 1, log.read_text)
    finally:
        worker.send_signal(signal.SIGINT)
        assert worker.wait(PATIENCE) == 0
    assert "Traceback" not in log.read_text()
