"""The access log: one event a request, without anything that a URL, a name or a body may hold."""

import json
import logging
import os
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from hrims.db import Connection
from hrims.log import Event
from tests.database.runs import enqueue_run_of, institution
from tests.e2e.processes.product import wait_until
from tests.support.served import Served
from tests.support.users import add_machine
from tests.web.browsers import Browser


def served(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    """Return the fields of the requests in the log, with their level, and forget them."""
    records = [record for record in caplog.records if isinstance(record.msg, Event)]
    found = [
        {"level": record.levelname, **record.msg.fields}  # type: ignore[union-attr] # filtered above
        for record in records
        if record.msg.name == "request_served"  # type: ignore[union-attr] # the same
    ]
    caplog.clear()
    return found


@pytest.fixture(autouse=True)
def log_level(caplog: pytest.LogCaptureFixture) -> None:
    """Log at the level at which the product does."""
    caplog.set_level(logging.DEBUG)


def test_it_works(api: Browser, conn: Connection, caplog: pytest.LogCaptureFixture) -> None:
    job = enqueue_run_of(conn, institution(conn))
    answer = api.get(
        f"/api/hrims/job-status/{job}?name=Amina", headers={"X-Request-Id": "mine"}, buffered=True
    )
    assert answer.status_code == 200
    [event] = served(caplog)
    assert event.pop("ms") >= 0
    assert event == {
        "level": "INFO",
        "method": "GET",
        "route": "/api/hrims/job-status/<job_id>",
        "status": 200,
        "bytes": len(answer.data),
        "client": "token:1",
        "request_id": "mine",
    }


def test_a_user_is_a_number(officer: Browser, conn: Connection, caplog: pytest.LogCaptureFixture) -> None:
    officer.get("/dashboard/admin/people", buffered=True)
    [event] = served(caplog)
    number = conn.execute("SELECT id FROM users WHERE name = 'asha'").fetchone()
    assert number
    assert (event["client"], event["status"]) == (f"user:{number[0]}", 200)
    assert "asha" not in str(event)


@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("GET", "/Amina/580330001", "unmatched", 404),
        ("GET", "/api/Amina", "unmatched", 404),
        ("DELETE", "/api/hrims/job-status/1", "unmatched", 405),
        ("GET", "/api/hrims/job-status/580330001", "/api/hrims/job-status/<job_id>", 401),
        ("HEAD", "/sign-in", "/sign-in", 200),
    ],
)
def test_every_other_request(
    client: Browser, caplog: pytest.LogCaptureFixture, method: str, path: str, route: str, status: int
) -> None:
    client.open(path, method=method, buffered=True)
    [event] = served(caplog)
    assert (event["method"], event["route"], event["status"]) == (method, route, status)
    assert event["client"] is None
    assert (event["bytes"] is None) is (method == "HEAD")


def test_a_method_that_is_no_method_is_not_logged(client: Browser, caplog: pytest.LogCaptureFixture) -> None:
    client.open("/sign-in", method="AMINA", buffered=True)
    [event] = served(caplog)
    assert (event["method"], event["route"], event["status"]) == ("other", "unmatched", 405)


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_a_monitor_is_logged_for_debugging_only(
    client: Browser, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    client.get(path, buffered=True)
    [event] = served(caplog)
    assert (event["level"], event["route"]) == ("DEBUG", path)


@pytest.mark.own_app
@pytest.mark.parametrize("environment", [{"DATABASE_URL": "host=127.0.0.1 port=1"}], indirect=True)
def test_a_line_before_the_first_view_has_the_id_of_its_own_request(
    client: Browser, caplog: pytest.LogCaptureFixture
) -> None:
    for number in ("first", "second"):
        assert client.get("/sign-in", headers={"X-Request-Id": number}).status_code == 503
    found = [record.msg for record in caplog.records if isinstance(record.msg, Event)]
    ids = [event.fields.get("request_id") for event in found if event.name == "form_key_not_read"]
    assert ids == ["first", "second"]


def test_web_processes_log_each_request_once_and_a_stream_when_it_has_ended(
    dsn: str, conn: Connection, tmp_path: Path
) -> None:
    token = add_machine(conn, "nightly")
    job = enqueue_run_of(conn, institution(conn))
    env = {"DATABASE_URL": dsn, "HRIMS_LOG_FORMAT": "json", "HRIMS_WEB_PROCESSES": "2"}
    headers = {"Authorization": f"Bearer {token}"}
    with (
        Served(tmp_path, env, heartbeat=600.0) as web,
        httpx.Client(base_url=web.url, headers=headers, timeout=30, trust_env=False) as http,
    ):
        url = f"/api/hrims/sync-status/{job}"
        with http.stream("GET", url, headers={"X-Request-Id": "s"}) as answer:
            sent = answer.iter_lines()
            assert next(sent)
            for number in range(8):
                http.get("/api/hrims/institutions", headers={"X-Request-Id": f"r{number}"})
            assert "sync-status" not in web.log.read_text()
            conn.execute("UPDATE runs SET state = 'cancelled', finished_at = now()")
            assert list(sent)
    lines = [json.loads(line) for line in web.log.read_text().splitlines()]
    assert all(line.keys() >= {"event", "level", "timestamp", "logger"} for line in lines)
    asked = {line["request_id"]: line for line in lines if line["event"] == "request_served"}
    assert sorted(asked) == [*(f"r{number}" for number in range(8)), "s"]
    assert asked["s"]["route"] == "/api/hrims/sync-status/<job_id>"
    assert asked["s"]["bytes"] is None
    known = {"gunicorn_starting", "gunicorn_listening", "gunicorn_process_started", "gunicorn_stopping"}
    assert known <= {line["event"] for line in lines}


def test_gunicorn_says_that_a_web_process_was_killed_and_replaced(dsn: str, tmp_path: Path) -> None:
    env = {"DATABASE_URL": dsn, "HRIMS_LOG_FORMAT": "json"}
    with Served(tmp_path, env) as web:

        def pids(event: str) -> list[int]:
            lines = [line for line in web.log.read_text().splitlines(keepends=True) if line.endswith("\n")]
            return [line["pid"] for line in map(json.loads, lines) if line["event"] == event]

        [first] = pids("gunicorn_process_started")
        os.kill(first, signal.SIGKILL)
        wait_until(lambda: len(pids("gunicorn_process_started")) == 2, web.log.read_text)
        assert pids("gunicorn_process_killed") == [first]
