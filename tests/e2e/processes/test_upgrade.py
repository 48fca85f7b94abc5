"""An upgrade while the older version runs: what commands and web processes say."""

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from click.testing import CliRunner
from pytest_httpserver import HTTPServer

from hrims import config, migrate
from hrims.cli import commands, preflight
from hrims.schema import Migration, load_migrations
from tests.database.runs import register_worker
from tests.e2e.processes.product import wait_until
from tests.support.served import Served
from tests.support.simulated import PLAIN

BEFORE = Migration("0014_add.sql", "CREATE TABLE added (id int)")
AFTER = Migration("0015_drop.after.sql", "DROP TABLE added", is_after=True)

LEFT = "1 migration is left for after the upgrade. When no process of the older version runs: hrims migrate"

Command = Callable[..., str]
"""Takes the words of a command, returns its output."""


@pytest.fixture
def hrims(dsn: str, state: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    """Run commands of a version that has a migration in each half, on a database of the older version."""
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    files = [*load_migrations(), BEFORE, AFTER]
    monkeypatch.setattr(migrate, "load_migrations", lambda *_: files)
    monkeypatch.setenv("DATABASE_URL", dsn)
    monkeypatch.setenv("HRIMS_STATE_DIR", str(state))
    monkeypatch.setenv("HRIMS_BASE_URL", "http://127.0.0.1:1/hrims")
    yield lambda *words: CliRunner().invoke(commands, words, prog_name="hrims").stdout
    root.handlers = handlers
    root.setLevel(level)


def test_migrate_says_what_is_left_for_after_the_upgrade(hrims: Command) -> None:
    assert hrims("migrate", "--before") == f"applied 0014_add.sql\n1 applied.\n{LEFT}\n"
    assert hrims("migrate", "--before") == f"{LEFT}\n"
    assert hrims("migrate") == "applied 0015_drop.after.sql\n1 applied.\n"
    assert hrims("migrate", "--before") == "The database is up to date.\n"


def test_commands_and_doctor_need_the_before_half_alone(hrims: Command) -> None:
    assert "amiss   schema    2 migrations are missing. Run: hrims migrate\n" in hrims("doctor")
    assert hrims("token", "list") == ""
    hrims("migrate", "--before")
    assert f"ok      schema    {LEFT}\n" in hrims("doctor")
    assert hrims("token", "list").startswith("ID  NAME  SCOPE")


def test_a_web_process_that_had_no_request_stays_ready_and_one_that_starts_refuses(
    dsn: str, tmp_path: Path
) -> None:
    env = {"DATABASE_URL": dsn, "HRIMS_WEB_PROCESSES": "2"}
    with psycopg.connect(dsn, autocommit=True) as conn, Served(tmp_path, env) as running:
        register_worker(conn)
        checked = "schema_checked"
        wait_until(lambda: running.log.read_text().count(checked) == 2, running.log.read_text)
        conn.execute("INSERT INTO schema_migrations (name, sha256) VALUES ('9999_later.sql', 'x')")
        for _ in range(10):  # either process may answer
            answer = httpx.get(f"{running.url}/readyz", trust_env=False, verify=PLAIN)
            assert answer.status_code == 200
            assert "it holds 9999_later.sql. The process continues." in answer.json()["message"]
        with Served(tmp_path, env) as starting:
            words = (
                'database_unusable message="This database is newer than this code: it holds 9999_later.sql'
            )
            wait_until(lambda: starting.log.read_text().count(words) == 2, starting.log.read_text)
            assert httpx.get(f"{starting.url}/readyz", trust_env=False, verify=PLAIN).status_code == 503


@pytest.mark.parametrize(
    ("schema", "words"), [(True, ""), (False, "no schema yet (The database lacks a file.)")]
)
def test_up_waits_for_the_schema_and_not_for_the_message(
    httpserver: HTTPServer, schema: bool, words: str
) -> None:
    body = {"ok": schema, "database": True, "schema": schema, "message": "The database lacks a file."}
    httpserver.expect_request("/readyz").respond_with_json(body)
    settings = config.load({"PORT": str(httpserver.port)})
    assert preflight.find_missing(settings) == words
