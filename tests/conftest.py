"""The databases of the tests: one server a session, one migrated template, a clone a test.

With HRIMS_TEST_DATABASE_URL that server is used; else an embedded one, with the programs in
HRIMS_TEST_POSTGRES or those of the product. Workers of pytest-xdist share both.
"""

import os
import signal
import uuid
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import psycopg
import pytest
import structlog
from psycopg.conninfo import make_conninfo

from hrims.postgres import join, locks
from tests.support import tempo
from tests.support.databases import as_application, clone, close_administrations, create, drop
from tests.support.encryption import KEY
from tests.support.password_hashes import use_cheap_hashes
from tests.support.shared import remove_when_stopped, shared_by_processes, state_directory

use_cheap_hashes()

# Processes that tests start inherit it, so that none of them creates a key file.
os.environ.setdefault("HRIMS_ENCRYPTION_KEY", KEY)

# No test may fail because the machine is slow.
hypothesis.settings.register_profile(
    "no-deadline", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("no-deadline")

for _number, _usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    # A suite that is started in the background ignores them, and all its processes would inherit that.
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _usual)

SETTINGS = {"max_connections": "200", "autovacuum": "off"}
"""The settings of the tests' server. Autovacuum makes plans depend on the moment and slows the tests."""


@pytest.fixture(autouse=True)
def no_request_in_logs() -> None:
    """Remove what a request of an earlier test in this process left for log lines."""
    structlog.contextvars.clear_contextvars()


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return one folder for the whole run, the same for every worker of pytest-xdist."""
    base = tmp_path_factory.getbasetemp()
    return base.parent if "PYTEST_XDIST_WORKER" in os.environ else base


@pytest.fixture(scope="session")
def server_dsn(run_folder: Path) -> Iterator[str]:
    """Provide the DSN of a server on which tests may create databases."""
    if configured := os.environ.get("HRIMS_TEST_DATABASE_URL"):
        yield configured
        close_administrations()
        return
    with shared_by_processes(run_folder / "server") as is_last:
        # Not below pytest's folder: root's server runs under another account, which cannot enter it.
        state = state_directory(run_folder / "state-dir")
        if programs := os.environ.get("HRIMS_TEST_POSTGRES"):
            monkeypatch = pytest.MonkeyPatch()
            monkeypatch.setattr("hrims.postgres.plan.find_binaries", lambda: Path(programs))
        with join(state, fsync=False, settings=SETTINGS) as server:
            yield server.dsn
            close_administrations()
        if is_last():
            remove_when_stopped(state)


@pytest.fixture(scope="session")
def template_database(server_dsn: str, run_folder: Path) -> Iterator[str]:
    """Provide the name of a migrated database with the users of CAST, which the last process drops."""
    name = f"template_{uuid.uuid5(uuid.NAMESPACE_URL, str(run_folder)).hex[:12]}"
    made = run_folder / "template-made"
    with shared_by_processes(run_folder / "template") as is_last:
        with locks.exclusive(run_folder / "template-making"):
            if not made.exists():
                create(server_dsn, name)
                _fill(make_conninfo(server_dsn, dbname=name))
                made.touch()
        yield name
        if is_last():
            drop(server_dsn, name)
            made.unlink(missing_ok=True)


def _fill(dsn: str) -> None:
    from tests.support.users import migrate_with_cast  # noqa: PLC0415 - only database tests need it

    migrate_with_cast(dsn)


@pytest.fixture
def owner_dsn(server_dsn: str, template_database: str) -> Iterator[str]:
    """Provide the DSN of this test's own database, with the users of CAST, as the owner of its tables."""
    with clone(server_dsn, template_database) as made:
        yield made


@pytest.fixture
def dsn(owner_dsn: str, template_database: str) -> str:
    """Return the DSN of this test's database with the rights of web processes and workers."""
    return as_application(owner_dsn, template_database)


@pytest.fixture
def conn(dsn: str) -> Iterator[psycopg.Connection]:
    """Provide an autocommit connection to this test's database, with the rights of a worker."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture
def owner(owner_dsn: str) -> Iterator[psycopg.Connection]:
    """Provide an autocommit connection to this test's database as the owner of its tables."""
    with psycopg.connect(owner_dsn, autocommit=True) as connection:
        yield connection


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the slow packages first."""
    items.sort(key=lambda item: tempo.rank(item.nodeid))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the time of each package, and the table of the scenarios with wrong servers, if any were run."""
    from tests.resilience.observed import table as observed  # noqa: PLC0415 - only for those tests
    from tests.resilience.scenarios.wrong_servers import summary  # noqa: PLC0415 - only for those tests

    reports = [report for kind in ("passed", "failed") for report in terminalreporter.getreports(kind)]
    lines = tempo.table(report for report in terminalreporter.getreports("") + reports)
    if len(lines) > 1:
        terminalreporter.section("seconds of all processes together")
        terminalreporter.write("\n".join([*lines, ""]))
    found = [rows for report in reports for name, rows in report.user_properties if name == summary.PROPERTY]
    if lines := summary.table(row for rows in found for row in rows):
        terminalreporter.section("servers that are consistently wrong")
        terminalreporter.write("\n".join([*lines, ""]))
    rows = [row for report in reports for name, row in report.user_properties if name == observed.PROPERTY]
    if lines := observed.table(rows):
        terminalreporter.section("what an operator sees of each fault")
        terminalreporter.write("\n".join([*lines, ""]))
