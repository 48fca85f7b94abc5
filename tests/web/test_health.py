"""/healthz, /readyz and /metrics: who runs this must see at a glance what is amiss."""

import pytest

from hrims.db import Connection
from tests.database.runs import live
from tests.web.conftest import Browser
from tests.web.runs import ask_for, institution


def test_the_process_answers(client: Browser) -> None:
    assert client.get("/healthz").get_json() == {"ok": True, "readOnly": False}


def test_it_is_ready_with_database_schema_and_a_worker(client: Browser, conn: Connection) -> None:
    live(conn)
    answer = client.get("/readyz")
    assert answer.status_code == 200
    assert answer.get_json() == {
        "ok": True,
        "database": True,
        "writable": True,
        "schema": True,
        "worker": True,
    }


def test_it_is_not_ready_without_a_worker(client: Browser) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json() == {
        "ok": False,
        "database": True,
        "writable": True,
        "schema": True,
        "worker": False,
    }


def test_it_is_not_ready_with_a_schema_of_another_version(client: Browser, conn: Connection) -> None:
    conn.execute("DELETE FROM schema_migrations WHERE name = '0006_views.sql'")
    assert client.get("/readyz").get_json()["schema"] is False


@pytest.mark.parametrize("environment", [{"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}])
def test_it_is_not_ready_without_a_database(client: Browser) -> None:
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.get_json()["database"] is False


def test_metrics_count_runs_and_workers(client: Browser, conn: Connection) -> None:
    ask_for(conn, institution(conn))
    lines = client.get("/metrics").get_data(as_text=True).splitlines()
    assert 'hrims_runs{state="waiting"} 1.0' in lines
    assert "hrims_workers 0.0" in lines
    assert "hrims_pools_deserted 1.0" in lines
    assert "hrims_streams 0.0" in lines
    assert "hrims_not_asked 0.0" in lines
    conn.execute(
        "INSERT INTO workers (worker_id, host, pid, version, capacity, silent_seconds, address)"
        " VALUES (1, 'here', 1, '1', 2, 600, 'http://hrims')"
    )
    conn.execute(
        "INSERT INTO remote_breakers (host, address, reason, code, probe_at)"
        " VALUES ('here', 'http://hrims', 'Down.', 'x', now())"
    )
    assert "hrims_not_asked 1.0" in client.get("/metrics").get_data(as_text=True).splitlines()
