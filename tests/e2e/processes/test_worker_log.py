"""The lines of a worker, started in both ways: each is an event, from the first to the last."""

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import psycopg
import pytest

from hrims.installation import DEMO_REGISTER
from hrims.institutions import importer
from tests.e2e.processes.product import HRIMS, TIMEOUT, env_of, run, wait_until
from tests.e2e.processes.test_personal_data import shown, values_of
from tests.support.simulated import Simulator

COMMANDS = [("hrims", "worker"), ("procrastinate", "--app=hrims.jobs.queue.app", "worker")]
OURS = {"event", "level", "timestamp", "logger"}


def events(log: Path) -> list[dict[str, Any]]:
    """Return the events of a log. Fails if a line is none."""
    found = [json.loads(line) for line in log.read_text().splitlines()]
    assert all(event.keys() >= OURS for event in found), log.read_text()
    return found


def names(log: Path) -> list[str]:
    """Return the names of the events of a log."""
    return [event["event"] for event in events(log)]


def start(command: tuple[str, ...], env: dict[str, str], log: Path) -> "subprocess.Popen[bytes]":
    """Start a command with both outputs in one file."""
    program, *words = command
    with log.open("wb") as output:
        return subprocess.Popen(
            [str(Path(HRIMS).with_name(program)), *words], env=env, stdout=output, stderr=subprocess.STDOUT
        )


@pytest.mark.parametrize("level", ["info", "debug"])
@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_line_is_an_event(
    dsn: str, state: Path, tmp_path: Path, command: tuple[str, ...], level: str
) -> None:
    log = tmp_path / "worker.log"
    with psycopg.connect(dsn, autocommit=True) as conn:
        importer.seed(conn, DEMO_REGISTER)
    with Simulator(sizes={"001": 60}, scale=0.05) as simulator:
        people = simulator.people(vote="001")
        env = {**env_of(state), "DATABASE_URL": dsn, "HRIMS_BASE_URL": simulator.url}
        worker = start(command, {**env, "HRIMS_LOG_FORMAT": "json", "HRIMS_LOG_LEVEL": level}, log)
        try:
            wait_until(lambda: "worker_started" in log.read_text(), log.read_text)
            done = run("sync", "--vote", "001", "--page-size", "20", env=env)
            assert done.returncode == 0, done.stdout + done.stderr
            done = run("sync", "--person", "-", env=env, stdin=people[7]["payroll_number"])
            assert done.returncode == 0, done.stdout + done.stderr
        finally:
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(TIMEOUT) == 0
    found = events(log)
    assert shown(log.read_text(), values_of(people)) == []
    assert "run_id" not in log.read_text(), "an argument of a job"
    story = [event for event in found if event["event"] in {"page_saved", "run_ended"}]
    of_run = [event for event in story if event["run"] == 1]
    context = {("run", 1), ("attempt", 1), ("worker", 1), ("institution", 1)}
    assert (len(of_run), len(story)) == (4, 6)
    assert all(context <= set(event.items()) for event in of_run)
    assert {event["institution_name"] for event in of_run} == {"WIZARA YA AFYA"}
    assert sorted(event["page"] for event in of_run if "page" in event) == [0, 1, 2]
    queue = {
        event["event"]: event for event in reversed(found) if event["logger"].startswith("procrastinate")
    }
    assert ("procrastinate_start_job" in queue) is (level == "debug")
    if level == "debug":
        job = queue["procrastinate_job_success"]
        assert (job["job"], job["task"], job["worker"]) == (1, "sync.run", 1)
        assert job["seconds"] > 0
