"""No request holds the database: its statements and its idle transactions end, also behind PgBouncer."""

import threading
import time
from collections.abc import Callable, Iterator

import psycopg
import pytest
from flask import Flask
from psycopg.conninfo import conninfo_to_dict

from hrims import db
from hrims.access.permissions import Permission
from hrims.config import load
from hrims.web.core import permissions
from hrims.web.core.app_state import pool, state_of
from tests.distributed.processes import Pooler, folder
from tests.web.browsers import Browser, new_app, new_browser, signed_in

LIMIT = 1.0

SETTINGS = "lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"

View = Callable[[], str]


@pytest.fixture(scope="module")
def pooler(server_dsn: str) -> Iterator[Pooler]:
    """Provide PgBouncer in transaction mode before the server of the tests."""
    with folder() as home:
        made = Pooler(home, server_dsn)
        try:
            made.start()
            yield made
        finally:
            made.kill()


@pytest.fixture(params=["direct", "pooled"])
def app(request: pytest.FixtureRequest, dsn: str) -> Iterator[Flask]:
    """Provide the application with a low limit, over a direct connection and over a pooler."""
    if request.param == "pooled":
        pooler: Pooler = request.getfixturevalue("pooler")
        dsn = pooler.dsn(str(conninfo_to_dict(dsn)["dbname"]))
    made = new_app(load({"DATABASE_URL": dsn, "HRIMS_WEB_STATEMENT_SECONDS": str(LIMIT)}))
    yield made
    state_of(made).close()


def add_view(app: Flask, view: View) -> None:
    """Add a view for people and one for machines."""
    for path in ("/limited", "/api/limited"):
        app.add_url_rule(path, path, view)
        permissions.attach(app, {path: Permission.READ_RUNS})


def show_limits() -> str:
    """Show the limits, in a transaction with the isolation level of lists."""
    with pool().connection() as conn:
        db.use_snapshot(conn)
        return " ".join(str(conn.execute(f"SHOW {name}".encode()).fetchone()) for name in SETTINGS)


def sleep() -> str:
    """Hold the database."""
    with pool().connection() as conn:
        conn.execute("SELECT pg_sleep(60)")
    return "slept"


def lock() -> str:
    """Wait for a lock that another session holds."""
    with pool().connection() as conn:
        conn.execute("LOCK TABLE runs")
    return "locked"


def stand_still() -> str:
    """Stand still inside a transaction."""
    with pool().connection() as conn:
        conn.execute("SELECT count(*) FROM runs")
        time.sleep(3 * LIMIT)
        conn.execute("SELECT 1")
    return "stood"


def test_a_slow_statement_ends_in_words(app: Flask, conn: psycopg.Connection) -> None:
    add_view(app, sleep)
    officer = signed_in(new_browser(app), conn, "asha", "officer")
    began = time.monotonic()
    machine, page = officer.get("/api/limited"), officer.get("/limited")
    assert time.monotonic() - began < 20
    assert (machine.status_code, machine.get_json()["code"], machine.headers["Retry-After"]) == (
        503,
        "too_slow",
        "5",
    )
    assert page.status_code == 503
    assert "took too long in the database; nothing was changed" in page.text
    assert officer.get("/dashboard/admin/runs").status_code == 200


def test_a_wait_for_a_lock_ends_too(app: Flask, conn: psycopg.Connection) -> None:
    add_view(app, lock)
    officer = signed_in(new_browser(app), conn, "asha", "officer")
    with conn.transaction():
        conn.execute("LOCK TABLE runs IN ACCESS EXCLUSIVE MODE")
        assert officer.get("/api/limited").status_code == 503
    assert officer.get("/api/limited").status_code == 200


def test_a_transaction_that_stands_still_ends(app: Flask, conn: psycopg.Connection) -> None:
    add_view(app, stand_still)
    officer = signed_in(new_browser(app), conn, "asha", "officer")
    assert officer.get("/api/limited").status_code == 503
    assert officer.get("/dashboard/admin/runs").status_code == 200


def test_every_transaction_has_the_limits(app: Flask, conn: psycopg.Connection) -> None:
    add_view(app, show_limits)
    officer = signed_in(new_browser(app), conn, "asha", "officer")
    for _ in range(3):
        assert officer.get("/limited").text == "('10s',) ('1s',) ('1s',)"


def test_other_clients_of_the_pooler_do_not_inherit_them(
    pooler: Pooler, dsn: str, conn: psycopg.Connection
) -> None:
    name = str(conninfo_to_dict(dsn)["dbname"])
    made = new_app(load({"DATABASE_URL": pooler.dsn(name), "HRIMS_WEB_STATEMENT_SECONDS": str(LIMIT)}))
    officer = signed_in(new_browser(made), conn, "asha", "officer")
    add_view(made, show_limits)

    def ask() -> None:
        for _ in range(5):
            assert Browser.get(officer, "/limited").status_code == 200

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    with db.connect(pooler.dsn(name)) as other:
        for _ in range(50):
            found = [other.execute(f"SHOW {name}".encode()).fetchone() for name in SETTINGS]
            assert found == [("0",)] * 3
    for thread in threads:
        thread.join()
    state_of(made).close()


def test_the_limit_has_a_default(dsn: str) -> None:
    made = new_app(load({"DATABASE_URL": dsn}))
    with state_of(made).pool().connection() as conn:
        assert conn.execute("SHOW statement_timeout").fetchone() == ("30s",)
    state_of(made).close()
