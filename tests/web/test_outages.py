"""Outages: the database goes away, or a session holds a lock. The response is 503, and no request hangs."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from hrims import connection_pools
from hrims.db import Connection
from hrims.web.core import csrf
from tests.web.browsers import Browser
from tests.web.error_shape import HOME, INSTITUTIONS, check
from tests.web.runs import enqueue_run_of, institution

Outage = Callable[[], AbstractContextManager[None]]

AWAY = "The database is unavailable; nothing was changed. Try again in a moment."


@pytest.fixture
def outage(dsn: str, server_dsn: str, monkeypatch: pytest.MonkeyPatch) -> Outage:
    """Within it the database of this test refuses everybody; requests wait a shorter time for it."""
    monkeypatch.setattr(connection_pools, "POOL_TIMEOUT", 0.3)
    monkeypatch.setattr(csrf, "KEY_WAIT", 0.3)
    name = conninfo_to_dict(dsn)["dbname"]

    @contextmanager
    def away() -> Iterator[None]:
        with psycopg.connect(server_dsn, autocommit=True) as server:
            _allow(server, name, "false")
            server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
            )
            yield
            _allow(server, name, "true")

    return away


def _allow(server: Connection, name: object, answer: str) -> None:
    command = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    server.execute(command.format(sql.Identifier(str(name)), sql.SQL(answer)))


def test_the_database_goes_away_and_comes_back(api: Browser, officer: Browser, outage: Outage) -> None:
    assert api.get(INSTITUTIONS).status_code == 200
    assert officer.get(HOME).status_code == 200
    with outage():
        answer = api.get(INSTITUTIONS)
        assert check(answer, 503, "database_away")["message"] == AWAY
        assert int(answer.headers["Retry-After"]) > 0
        page = officer.get(HOME)
        assert page.status_code == 503
        assert AWAY in page.text
        assert officer.get("/healthz").status_code == 200
        with officer.get("/static/hrims.css") as style:
            assert style.status_code == 200
    until_it_is_back(api)
    assert officer.get(HOME).status_code == 200


def test_the_database_is_away_at_the_start(client: Browser, outage: Outage) -> None:
    with outage():
        assert client.get("/healthz").status_code == 200
        assert client.get("/sign-in").status_code == 503
        assert client.post("/sign-in").status_code == 503
        assert client.post("/sign-out").status_code == 503
        check(client.get(INSTITUTIONS), 503, "database_away")
    until_it_is_back(client)
    assert client.get("/sign-in").status_code == 200


def until_it_is_back(browser: Browser) -> None:
    """Asks until the answer is not that the database is away; the test's time limit ends it."""
    while browser.get(INSTITUTIONS).status_code == 503:
        pass


def test_what_a_frozen_worker_holds_is_waited_for_a_while(
    api: Browser, conn: Connection, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No request hangs for ever: it is told that it may try again, and nothing was changed."""
    monkeypatch.setattr(connection_pools, "LOCK_SECONDS", 0.1)
    run_id = enqueue_run_of(conn, institution(conn))
    with psycopg.connect(dsn) as frozen:
        frozen.execute("SELECT FROM procrastinate_jobs FOR UPDATE")
        answer = api.post(f"/api/hrims/jobs/{run_id}/cancel")
        assert check(answer, 503, "busy")["message"].startswith("Another user or a worker is changing this")
        assert answer.headers["Retry-After"]
        assert conn.execute("SELECT state FROM runs").fetchone() == ("waiting",)
    assert api.post(f"/api/hrims/jobs/{run_id}/cancel").status_code == 200
