"""The databases of the tests: one server a session, one migrated template, a clone a test.

With HRIMS_TEST_DATABASE_URL that server is used; else an embedded one, with the programs in
HRIMS_TEST_POSTGRES or those of the product. Workers of pytest-xdist share both.
"""

import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import hypothesis
import psycopg
import pytest
import structlog
from psycopg import sql
from psycopg.conninfo import make_conninfo

from hrims.postgres import join, locks
from tests.support import tempo
from tests.support.password_hashes import use_cheap_hashes

use_cheap_hashes()

# A loaded machine is slow: no test may fail for that.
hypothesis.settings.register_profile(
    "no-deadline", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("no-deadline")

for _number, _usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    # Of a suite that is started in the background they are ignored, and so they would be of all it starts.
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _usual)

MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of its own is made there
ENOUGH = 4 * 2**30

SETTINGS = {"max_connections": "200", "autovacuum": "off"}
"""Of the tests' server. Autovacuum makes plans depend on the moment, and takes time from the tests."""


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
    """Provide DSN of a server on which tests may create databases."""
    if given := os.environ.get("HRIMS_TEST_DATABASE_URL"):
        yield given
        _close_administrators()
        return
    with _shared_by_workers(run_folder / "server") as is_last:
        # Not below pytest's own folder: that is closed, and as root the server is another account.
        state = _state_dir(run_folder / "state-dir")
        if programs := os.environ.get("HRIMS_TEST_POSTGRES"):
            monkeypatch = pytest.MonkeyPatch()
            monkeypatch.setattr("hrims.postgres.plan.find_binaries", lambda: Path(programs))
        with join(state, fsync=False, settings=SETTINGS) as server:
            yield server.dsn
            _close_administrators()
        if is_last():
            remove_when_stopped(state)


@pytest.fixture(scope="session")
def template_database(server_dsn: str, run_folder: Path) -> Iterator[str]:
    """Provide name of a migrated database without data. Made by the first worker, dropped by the last."""
    name = f"template_{uuid.uuid5(uuid.NAMESPACE_URL, str(run_folder)).hex[:12]}"
    made = run_folder / "template-made"
    with _shared_by_workers(run_folder / "template") as is_last:
        with locks.exclusive(run_folder / "template-making"):
            if not made.exists():
                create(server_dsn, name)
                _migrate(make_conninfo(server_dsn, dbname=name))
                made.touch()
        yield name
        if is_last():
            _drop(server_dsn, name)
            made.unlink(missing_ok=True)


@contextmanager
def _shared_by_workers(lock: Path) -> Iterator[Callable[[], bool]]:
    """Yield what tells, at the end, whether no other worker uses the thing any more."""
    share = locks.share(lock)

    def is_last() -> bool:
        os.close(share)
        alone = locks.take_if_free(lock)
        if alone is not None:
            os.close(alone)
        return alone is not None

    yield is_last


def _state_dir(record: Path) -> Path:
    """Return the folder that the first worker made for all."""
    with locks.exclusive(record.with_suffix(".lock")):
        if not record.exists():
            folder = Path(tempfile.mkdtemp(prefix="hrims-tests-", dir=_fastest()))
            folder.chmod(0o711)
            record.write_text(str(folder))
    return Path(record.read_text())


def _fastest() -> str | None:
    """Return the memory file system if it has room: each test clones a database of hundreds of files."""
    if MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH:
        return str(MEMORY)
    return None


def remove_when_stopped(state: Path) -> None:
    """Remove a state directory once its server has stopped."""
    # Waits for the guard and for the server, whichever ends last. Two workers may both be last.
    with suppress(FileNotFoundError):
        for name in ("guard.lock", "running.lock"):
            os.close(locks.take(state / "postgres" / name))
    shutil.rmtree(state, ignore_errors=True)


def _migrate(dsn: str) -> None:
    from hrims.migrate import migrate  # noqa: PLC0415 - only database tests need it

    migrate(dsn)


@pytest.fixture
def dsn(server_dsn: str, template_database: str) -> Iterator[str]:
    """Provide DSN of a migrated, empty database of this test's own."""
    with clone(server_dsn, template_database) as made:
        yield made


@contextmanager
def clone(server_dsn: str, template: str) -> Iterator[str]:
    """Provide DSN of a copy of the template, dropped at the end."""
    name = f"test_{uuid.uuid4().hex[:16]}"
    create(server_dsn, name, template)
    try:
        yield make_conninfo(server_dsn, dbname=name)
    finally:
        _drop(server_dsn, name)


def create(server_dsn: str, name: str, template: str = "template0") -> None:
    """Create a database from the template."""
    _execute(
        server_dsn,
        # Copied as files, not written to the WAL page by page: six times as fast.
        sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY file_copy").format(
            sql.Identifier(name), sql.Identifier(template)
        ),
    )


def _drop(server_dsn: str, name: str) -> None:
    _execute(server_dsn, sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _execute(server_dsn: str, statement: sql.Composed) -> None:
    with administration(server_dsn) as connection:
        connection.execute(statement)


_administrators: dict[str, psycopg.Connection] = {}


@contextmanager
def administration(server_dsn: str) -> Iterator[psycopg.Connection]:
    """Provide an autocommit connection to the server's own database. All tests of the process share it."""
    connection = _administrators.pop(server_dsn, None)
    if connection is None or not _works(connection):
        connection = psycopg.connect(server_dsn, autocommit=True)
    try:
        yield connection
    finally:
        if connection.closed or server_dsn in _administrators:
            connection.close()
        else:
            _administrators[server_dsn] = connection


def _works(connection: psycopg.Connection) -> bool:
    try:
        connection.execute("SELECT")
    except psycopg.OperationalError:
        connection.close()
        return False
    return True


def _close_administrators() -> None:
    while _administrators:
        _administrators.popitem()[1].close()


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
