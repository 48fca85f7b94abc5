"""The table of states in docs/reference/health.md: what /readyz, doctor and metrics say in each."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import psycopg
import pytest

from hrims.db import Connection
from hrims.version import VERSION
from tests import PROJECT
from tests.e2e.processes.product import Product, env_of, run
from tests.support.served import Served
from tests.support.simulated import Simulator
from tests.web.metrics import OPEN, parse
from tests.web.runs import enqueue_run_of, institution

ROW = re.compile(r"^\| ([A-Z][^|]+) \| (\d+) ?(\w*) \| (\w+) ?(\w*) \| ?(?:`([^`]+)`)? ?\|$", re.MULTILINE)

NOWHERE = "postgresql://unknown@127.0.0.1:1/none"


class Row(NamedTuple):
    """A row of the table."""

    state: str
    status: str
    missing: str
    how: str
    check: str
    metric: str


ROWS = [
    Row(*found) for found in ROW.findall((PROJECT / "docs/reference/health.md").read_text(encoding="utf-8"))
]


class Stage(NamedTuple):
    """An instance that a test puts into a state."""

    conn: Connection
    simulator: Simulator
    env: dict[str, str]


@pytest.fixture
def stage(dsn: str, state: Path) -> Iterator[Stage]:
    """Provide an instance with a register, a worker and HRIMS, in which all is well."""
    with psycopg.connect(dsn, autocommit=True) as conn, Simulator() as simulator:
        institution(conn)
        conn.execute(
            "INSERT INTO workers (worker_id, host, pid, version, capacity, silent_seconds, address)"
            " VALUES (1, 'here', 1, %s, 2, 600, 'http://hrims')",
            (VERSION,),
        )
        yield Stage(
            conn, simulator, env_of(state) | OPEN | {"DATABASE_URL": dsn, "HRIMS_BASE_URL": simulator.url}
        )


def executing(*statements: str) -> Callable[[Stage], None]:
    """Return a function that executes statements."""

    def execute(stage: Stage) -> None:
        for statement in statements:
            stage.conn.execute(statement.format(name=stage.conn.info.dbname).encode())

    return execute


def lose_the_database(stage: Stage) -> None:
    """Let the address lead nowhere."""
    stage.env["DATABASE_URL"] = NOWHERE


def slow_hrims_down(stage: Stage) -> None:
    """Let HRIMS answer late."""
    stage.simulator.control(latency_ms=5200)


def let_a_run_wait(stage: Stage) -> None:
    """Let a run wait for an hour."""
    [(id_,)] = stage.conn.execute("SELECT id FROM institutions").fetchall()
    enqueue_run_of(stage.conn, id_)
    stage.conn.execute("UPDATE runs SET requested_at = now() - interval '1 hour'")


BREAKER = (
    "INSERT INTO remote_breakers (host, address, reason, code, probe_at)"
    " VALUES ('here', 'http://hrims', 'HRIMS was silent.', 'remote_timeout', now())"
)

STATES: dict[str, Callable[[Stage], None]] = {
    "All is well": executing(),
    "The database is away": lose_the_database,
    "The database is read-only": executing('ALTER DATABASE "{name}" SET default_transaction_read_only = on'),
    "A migration is missing": executing("DELETE FROM schema_migrations WHERE name = '0013_views.sql'"),
    "No worker is alive": executing("UPDATE workers SET last_beat = now() - interval '1 hour'"),
    "A pool has no worker": executing("UPDATE institutions SET pool = 'north'"),
    "A worker has another version": executing("UPDATE workers SET version = '0.0.1'"),
    "HRIMS is down": executing(BREAKER),
    "HRIMS is slow": slow_hrims_down,
    "The queue is paused": executing(
        "UPDATE queue_settings SET paused_at = now(), paused_by = 'asha', paused_why = 'Payroll'"
    ),
    "Runs wait for long": let_a_run_wait,
    "A clock is wrong": executing("UPDATE workers SET clock_ahead = -40"),
}

ELSEWHERE = {
    "The embedded database's disk is full": "test_a_full_disk",
    "Only another instance runs": "test_another_instance",
    "A pooler stands before the database": "tests/distributed/test_pooler.py",
    "No worker has an address of HRIMS": "test_workers_without_a_connection",
    "The encryption key is wrong or missing": "tests/e2e/processes/test_encryption.py",
    "The processes have too many rights": "tests/db_roles/test_application.py",
    "The audit chain was written again": "tests/audit/test_doctor.py",
}
"""States that need more than a statement, and their tests."""


def test_every_state_of_the_table_is_tested() -> None:
    assert [row.state for row in ROWS] == sorted({*STATES, *ELSEWHERE}, key=[row.state for row in ROWS].index)
    assert len(ROWS) == len(STATES) + len(ELSEWHERE)


def row_of(state: str) -> Row:
    """Return the row of a state."""
    return next(row for row in ROWS if row.state == state)


def doctor(env: dict[str, str]) -> dict[str, tuple[str, str]]:
    """Return the state and the text of each check of doctor."""
    found = json.loads(run("doctor", "--json", env=env).stdout)["checks"]
    return {check["name"]: (check["state"], f"{check['message']} {check['action']}") for check in found}


def check_readiness(url: str, row: Row) -> None:
    """Compare the answer of /readyz with the table."""
    answer = httpx.get(f"{url}/readyz", trust_env=False, timeout=30)
    assert str(answer.status_code) == row.status, answer.text
    said = {name for name, is_well in answer.json().items() if is_well is False} - {"ok"}
    # Without a database nothing is known of what it would tell.
    expected = {"database", "writable", "schema"} if row.missing == "database" else {row.missing} - {""}
    assert said == expected
    assert httpx.get(f"{url}/healthz", trust_env=False, timeout=30).status_code == 200


def check_doctor(checks: dict[str, tuple[str, str]], row: Row) -> None:
    """Compare the lines of doctor with the table."""
    if row.how in {"warning", "amiss"}:
        assert checks[row.check][0] == row.how, checks
    others = {
        name: how for name, (how, text) in checks.items() if name != row.check and "Not checked" not in text
    }
    assert set(others.values()) == {"ok"}, checks


@pytest.mark.parametrize("state_name", STATES)
def test_a_state(stage: Stage, tmp_path: Path, state_name: str) -> None:
    row = row_of(state_name)
    STATES[state_name](stage)
    check_doctor(doctor(stage.env), row)
    with Served(tmp_path, stage.env) as web:
        check_readiness(web.url, row)
        samples = parse(httpx.get(f"{web.url}/metrics", trust_env=False, timeout=30).text)
    if "_remote_request_" not in row.metric:
        name, _, value = row.metric.partition(" ") if row.metric[-2:-1] == " " else (row.metric, "", "")
        assert name in samples
        assert not value or samples[name] == float(value)
    if state_name == "The queue is paused":
        assert "asha paused the queue" in doctor(stage.env)["worker"][1]


def test_a_full_disk(shared: Product, tmp_path: Path) -> None:
    row = row_of("The embedded database's disk is full")
    env = shared.env() | OPEN | {"HRIMS_MIN_FREE_MB": "1000000"}
    check_doctor(doctor(env), row)
    with Served(Path(env["HRIMS_STATE_DIR"]), env) as web:
        check_readiness(web.url, row)
        assert row.metric in httpx.get(f"{web.url}/metrics", trust_env=False, timeout=30).text


def test_workers_without_a_connection(stage: Stage, tmp_path: Path) -> None:
    row = row_of("No worker has an address of HRIMS")
    executing("UPDATE workers SET address = '', remote_problem = 'No address of HRIMS is known.'")(stage)
    checks = doctor(stage.env)
    check_doctor(checks, row)
    assert "here (process 1): No address of HRIMS is known." in checks["breaker"][1]
    with Served(tmp_path, stage.env) as web:
        check_readiness(web.url, row)


def test_another_instance(shared: Product, migrated: Path) -> None:
    """The command means another state directory than the instance that runs."""
    checks = doctor(env_of(migrated) | {"HRIMS_BASE_URL": "http://127.0.0.1:1"})
    how, text = checks["instance"]
    assert how == row_of("Only another instance runs").how
    assert str(migrated) in text
    assert shared.env()["HRIMS_STATE_DIR"] in text
