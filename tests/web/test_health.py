"""/healthz and /readyz: an operator sees at a glance what is wrong."""

import psycopg
import pytest
from flask import Flask

from hrims.db import Connection
from hrims.schema import Migration, SchemaCheck, load_migrations
from hrims.web.api import health
from hrims.web.core import app_state
from tests.database.runs import register_worker
from tests.support.databases import execute_as_owner
from tests.web.browsers import Browser
from tests.web.error_shape import HOME, INSTITUTIONS, check
from tests.web.metrics import count_blocked


def test_the_process_answers(client: Browser) -> None:
    assert client.get("/healthz").get_json() == {"ok": True, "readOnly": False}


def test_it_is_ready_with_database_schema_and_a_worker(client: Browser, conn: Connection) -> None:
    register_worker(conn)
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.get_json() == {
        "ok": True,
        "database": True,
        "writable": True,
        "schema": True,
        "disk": True,
        "worker": True,
        "remote": True,
    }


def test_a_web_process_is_ready_without_a_worker_and_says_so(client: Browser) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert (answer.get_json()["ok"], answer.get_json()["worker"]) == (True, False)


def test_it_is_not_ready_and_serves_nothing_without_a_migration_that_it_needs(
    client: Browser, api: Browser, conn: Connection
) -> None:
    register_worker(conn)
    execute_as_owner(conn, "DELETE FROM schema_migrations WHERE name = '0013_views.sql'")
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json() == {
        "ok": False,
        "database": True,
        "writable": True,
        "schema": False,
        "disk": True,
        "worker": None,
        "remote": None,
        "message": "The database lacks 0013_views.sql, which this version needs. Nothing was changed. "
        "Run `hrims migrate`; while processes of the older version run, add --before.",
    }
    check(api.get(INSTITUTIONS), 503, "other_version")
    execute_as_owner(
        conn, "INSERT INTO schema_migrations VALUES (DEFAULT, '0013_views.sql', %s)", (sha256_of_views(),)
    )
    assert client.get("/readyz").status_code == 200
    assert api.get(INSTITUTIONS).status_code == 200


def sha256_of_views() -> str:
    """Return what the ledger keeps of that file."""
    return next(file.sha256 for file in load_migrations() if file.name == "0013_views.sql")


def test_it_is_ready_without_the_after_half_of_its_version(
    client: Browser, app: Flask, conn: Connection
) -> None:
    register_worker(conn)
    files = [*load_migrations(), Migration("0014_drop.after.sql", "", is_after=True)]
    app_state.state_of(app).schema = SchemaCheck(files)
    answer = client.get("/readyz")
    assert (answer.status_code, answer.get_json()["schema"]) == (200, True)
    assert "message" not in answer.get_json()


def test_a_process_that_runs_stays_ready_on_a_newer_database_and_says_so(
    client: Browser, api: Browser, conn: Connection
) -> None:
    register_worker(conn)
    assert api.get(INSTITUTIONS).status_code == 200  # no health check before: a request is enough
    execute_as_owner(conn, "INSERT INTO schema_migrations (name, sha256) VALUES ('9999_later.sql', 'x')")
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.get_json()["ok"] is True
    assert answer.get_json()["message"] == (
        "The database is newer than this process: it holds 9999_later.sql. The process continues. "
        "Restart it with the newer version of HRIMS Sync."
    )
    assert api.get(INSTITUTIONS).status_code == 200


def test_a_process_that_starts_on_a_newer_database_refuses_in_words(
    client: Browser,
    api: Browser,
    officer: Browser,
    conn: Connection,
    app: Flask,
    caplog: pytest.LogCaptureFixture,
) -> None:
    register_worker(conn)
    execute_as_owner(conn, "INSERT INTO schema_migrations (name, sha256) VALUES ('9999_later.sql', 'x')")
    app_state.check_schema(app)
    assert "database_unusable" in caplog.text
    assert "This database is newer than this code: it holds 9999_later.sql" in caplog.text
    answer = client.get("/readyz")
    assert (answer.status_code, answer.get_json()["schema"]) == (503, False)
    assert "newer than this code: it holds 9999_later.sql" in answer.get_json()["message"]
    message = check(api.get(INSTITUTIONS), 503, "other_version")["message"]
    assert message.startswith("HRIMS Sync is being upgraded: this process and the database have different")
    page = officer.get(HOME)
    assert page.status_code == 503
    assert "HRIMS Sync is being upgraded" in page.text


@pytest.mark.parametrize("environment", [{"DATABASE_URL": "postgresql://unknown@127.0.0.1:1/none"}])
def test_it_is_not_ready_without_a_database(client: Browser) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["database"] is False


def test_checks_of_a_database_that_does_not_answer_share_one_connection(
    client: Browser, conn: Connection, dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get("/readyz").status_code == 200
    monkeypatch.setattr(health, "READ_SECONDS", 0.2)
    with psycopg.connect(dsn) as blocker:
        blocker.execute("LOCK TABLE workers IN ACCESS EXCLUSIVE MODE")
        for _ in range(3):
            answer = client.get("/readyz")
            assert (answer.status_code, answer.get_json()["database"]) == (503, False)
        assert count_blocked(conn) == 1
