"""The worker's own process: it loads no web, waits for its database, and can be started two ways."""

import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from hrims.installation import DEMO_REGISTER
from hrims.institutions import importer
from hrims.jobs.workers import store as workers
from tests.e2e.processes.product import HRIMS, TIMEOUT, env_of, run, start, wait_until
from tests.support.simulated import Simulator

ALL_OF_IT = """
import sys
import hrims.cli, hrims.cli.worker, hrims.jobs.supervisor, hrims.worker
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
    assert not loaded & {"flask", "werkzeug", "jinja2", "gunicorn", "htmx_flask"}
    assert not state.exists(), "importing starts no database"


@pytest.mark.parametrize(
    "command", [("hrims", "worker"), ("procrastinate", "--app=hrims.jobs.queue.app", "worker")], ids=" ".join
)
def test_both_ways_run_jobs_and_stop_when_asked(dsn: str, state: Path, command: tuple[str, ...]) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        importer.seed(conn, DEMO_REGISTER)
    with Simulator(sizes={"001": 60}, scale=0.05) as simulator:
        env = {**env_of(state), "DATABASE_URL": dsn, "HRIMS_BASE_URL": simulator.url}
        program, *words = command
        worker = subprocess.Popen([str(Path(HRIMS).with_name(program)), *words], env=env)
        try:
            done = run("sync", "--vote", "001", "--page-size", "20", env=env)
            assert done.returncode == 0, done.stdout + done.stderr
        finally:
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(TIMEOUT) == 0


def test_a_pool_that_cannot_be_is_refused_and_nothing_is_started(dsn: str, state: Path) -> None:
    done = run("worker", "--pool", "Bad one", env={**env_of(state), "DATABASE_URL": dsn})
    assert done.returncode == 2
    assert "Invalid value for --pool: 'Bad one' is not valid; give 1 to 30 small letters" in done.stderr


def test_it_says_what_it_serves(dsn: str, state: Path, tmp_path: Path) -> None:
    log = tmp_path / "worker.log"
    env = {**env_of(state), "DATABASE_URL": dsn}
    worker = start("worker", "--pool", "health", env=env, log=log)
    try:
        wait_until(
            lambda: f"worker_started pool=health concurrency=2 pid={worker.pid}" in log.read_text(),
            log.read_text,
        )
    finally:
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(TIMEOUT) == 0


def test_it_waits_for_a_database_that_is_not_migrated_yet(state: Path, tmp_path: Path) -> None:
    env = env_of(state)
    log = tmp_path / "worker.log"
    worker = start("worker", env=env, log=log)
    try:
        wait_until(lambda: "Run `hrims migrate`" in log.read_text(), log.read_text)
        assert run("migrate", env=env).returncode == 0
        url = run("db", "url", env=env).stdout.strip()
        with psycopg.connect(url, autocommit=True) as conn:
            wait_until(lambda: workers.count_alive(conn) == 1, log.read_text)
    finally:
        worker.send_signal(signal.SIGINT)
        assert worker.wait(TIMEOUT) == 0
    assert "Traceback" not in log.read_text()


def test_on_a_newer_database_it_continues_until_its_process_ends_and_does_not_start_again(
    dsn: str, state: Path, tmp_path: Path
) -> None:
    """The newer version lacks a function, so that the worker starts again inside its process."""
    env = {**env_of(state), "DATABASE_URL": dsn}
    logs = [tmp_path / "running.log", tmp_path / "starting.log"]
    started = [start("worker", env=env, log=logs[0])]
    try:
        with psycopg.connect(dsn, autocommit=True) as conn:
            wait_until(lambda: workers.count_alive(conn) == 1, logs[0].read_text)
            conn.execute("INSERT INTO schema_migrations (name, sha256) VALUES ('9999_later.sql', 'x')")
            conn.execute("ALTER FUNCTION fetch_run_job RENAME TO take_run_job_later")
            wait_until(
                lambda: "newer than this process: it holds 9999" in logs[0].read_text(), logs[0].read_text
            )
            conn.execute("ALTER FUNCTION take_run_job_later RENAME TO fetch_run_job")
            conn.execute("DELETE FROM workers")
            wait_until(lambda: workers.count_alive(conn) == 1, logs[0].read_text)
            started.append(start("worker", env=env, log=logs[1]))
            wait_until(
                lambda: "newer than this code: it holds 9999" in logs[1].read_text(), logs[1].read_text
            )
            assert "worker_started" not in logs[1].read_text()
    finally:
        for worker in started:
            worker.send_signal(signal.SIGTERM)
        assert [worker.wait(TIMEOUT) for worker in started] == [0] * len(started)
