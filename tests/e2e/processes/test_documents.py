"""Every command of the documents runs: the shell blocks of a page in one session, in a scratch folder.

The folder stands for a checkout whose instance is up. Only the commands in ``ELSEWHERE`` do not run here.
"""

import os
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from hrims.postgres import find_binaries
from tests import PROJECT
from tests.e2e.processes.product import TIMEOUT, Product
from tests.support.documents import PAGES, commands_of, name_of
from tests.support.fork_server import write_command

STOP, WHEEL, WORKER = (f"tests/e2e/processes/test_{name}.py" for name in ("stop", "wheel", "worker"))

UP = f"{WHEEL}::test_up_reaches_the_first_completed_sync_and_stops"

ELSEWHERE = {
    "git clone <this repository> hrims-sync && cd hrims-sync": "the address of the repository differs",
    "make run": f"{STOP}::test_make_that_is_killed_takes_all_of_it_along",
    "hrims worker": f"{WORKER}::test_both_ways_run_jobs_and_stop_when_asked",
    "gunicorn --config python:hrims.cli.gunicorn_settings": UP,
    ".venv/bin/pip wheel --no-deps --no-build-isolation --wheel-dir dist .": f"{WHEEL}::wheel",
    "python3 -m venv /opt/hrims": f"{WHEEL}::installed",
    "/opt/hrims/bin/pip install --require-hashes -r requirements.lock": "needs a package index",
    "/opt/hrims/bin/pip install --no-deps hrims_sync-*.whl": f"{WHEEL}::installed",
    "/opt/hrims/bin/hrims --version": f"{WHEEL}::test_version_names_the_commit",
    "/opt/hrims/bin/hrims up": UP,
    "/opt/hrims/bin/hrims migrate": UP,
    "/opt/hrims/bin/gunicorn --config python:hrims.cli.gunicorn_settings": UP,
    "/opt/hrims/bin/hrims worker": UP,
}
"""Commands that do not run here, each with the test that runs it, or the reason why no test can."""

COMMANDS = {page: commands_of(page) for page in PAGES if commands_of(page)}


@pytest.fixture
def scratch(shared: Product, tmp_path: Path) -> Path:
    """Provide a folder with the environment, the state directory and the files that the documents name."""
    environment = Path(sys.executable).parents[1]
    (tmp_path / ".venv" / "bin").mkdir(parents=True)
    for path in {*environment.iterdir(), *(environment / "bin").iterdir()} - {environment / "bin"}:
        (tmp_path / ".venv" / path.relative_to(environment)).symlink_to(path)
    (tmp_path / ".venv" / "bin" / "hrims").unlink()
    write_command(tmp_path / ".venv" / "bin" / "hrims")
    (tmp_path / ".hrims").symlink_to(shared.state)
    (tmp_path / "register.csv").write_text("name,vote_code,tin\nWIZARA YA AFYA,001,156255890\n")
    (tmp_path / "zan-id").write_text("592675678\n")
    (tmp_path / "password").write_text("a wet monsoon\n")
    for secret in ("key", "token"):
        (tmp_path / secret).write_text(f"an-invented-{secret}\n")
    return tmp_path


@pytest.fixture
def empty_database(shared: Product) -> Iterator[str]:
    """DSN of a database without tables, on the server of the instance."""
    name = f"documents_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(shared.dsn, autocommit=True) as conn:
        conn.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
        yield make_conninfo(shared.dsn, dbname=name)
        conn.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def run_page(
    commands: list[str], shared: Product, scratch: Path, empty: str
) -> subprocess.CompletedProcess[str]:
    """Run commands in one shell, which ends at the first that fails. Print each of them before."""
    script = "\n".join(["set -euo pipefail", "set -v", *commands])
    for written, real in {
        "postgresql://hrims:…@db.example.go.tz/hrims": f"'{empty}'",
        "https://hrims.example.go.tz/api": (shared.state / "simulator.url").read_text().strip(),
        "/run/secrets": str(scratch),
        "127.0.0.1:9002": f"127.0.0.1:{shared.port}",
    }.items():
        script = script.replace(written, real)
    folders = [str(scratch / ".venv" / "bin"), str(find_binaries()), os.environ["PATH"]]
    env = {**shared.env(), "PATH": os.pathsep.join(folders)}
    file = scratch / "commands.sh"
    file.write_text(script)
    return subprocess.run(
        ["bash", file],
        cwd=scratch,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=TIMEOUT,
    )


@pytest.mark.parametrize("page", COMMANDS, ids=name_of)
def test_the_commands_of_a_page_run(page: Path, shared: Product, scratch: Path, empty_database: str) -> None:
    commands = [command for command in COMMANDS[page] if command not in ELSEWHERE]
    done = run_page(commands, shared, scratch, empty_database)
    assert done.returncode == 0, done.stdout


def test_an_invented_command_fails(shared: Product, scratch: Path, empty_database: str) -> None:
    done = run_page(["hrims doctor", "hrims snyc --vote 037", "true"], shared, scratch, empty_database)
    assert done.returncode == 2
    assert "No such command 'snyc'" in done.stdout


def test_what_runs_elsewhere_is_named_by_a_page_and_run_by_a_test() -> None:
    assert set(ELSEWHERE) <= {command for commands in COMMANDS.values() for command in commands}
    for place in ELSEWHERE.values():
        path, _, test = place.partition("::")
        assert not test or f"def {test}(" in (PROJECT / path).read_text(encoding="utf-8")
