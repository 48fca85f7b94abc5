"""/metrics: what it counts, who may read it, and what it says when the database is away."""

import threading

import msgspec
import psycopg
import pytest
from flask import Flask

from hrims.access import tokens
from hrims.access.actor import system
from hrims.db import Connection
from hrims.jobs import control
from hrims.monitoring import exposition
from hrims.schema import load_migrations
from hrims.web.core import app_state
from tests.database.runs import register_worker
from tests.support.databases import execute_as_owner
from tests.support.users import add_machine
from tests.web.browsers import Browser, new_browser
from tests.web.metrics import OPEN, count_blocked, metrics_of
from tests.web.runs import end_run, enqueue_run_of, error_of, institution

PATH = "/metrics"
NOWHERE = "postgresql://unknown@127.0.0.1:1/none"
SECRET = "a secret of the scraper"
open_metrics = pytest.mark.parametrize("environment", [OPEN], indirect=True)
with_token = pytest.mark.parametrize("environment", [{"HRIMS_METRICS_TOKEN": SECRET}], indirect=True)
away = pytest.mark.parametrize(
    "environment",
    [{"DATABASE_URL": NOWHERE, "HRIMS_METRICS_TOKEN": SECRET}],
    indirect=True,
)


def bearer(token: str) -> dict[str, str]:
    """Return the header of a scraper."""
    return {"Authorization": f"Bearer {token}"}


@open_metrics
def test_an_empty_instance(client: Browser) -> None:
    found = metrics_of(client)
    assert found["hrims_database_up"] == 1
    assert found["hrims_database_writable"] == 1
    assert found["hrims_schema_usable"] == 1
    assert found["hrims_schema_version"] == int(load_migrations()[-1].name[:4])
    assert found["hrims_database_size_bytes"] > 1_000_000
    assert found['hrims_runs{pool="",state="waiting"}'] == 0
    assert found['hrims_workers{pool="",state="alive"}'] == 0
    assert found['hrims_institutions{last_complete="never"}'] == 0
    assert found["hrims_queue_paused"] == 0
    assert found["hrims_queue_starts_per_minute"] == 5
    assert found['hrims_runs_ended_total{cause="",kind="sync",outcome="failed"}'] == 0
    assert found['hrims_rescues_total{result="waiting"}'] == 0


@open_metrics
def test_runs_that_wait_and_end(client: Browser, conn: Connection) -> None:
    first = enqueue_run_of(conn, institution(conn))
    conn.execute("UPDATE runs SET requested_at = now() - interval '90 seconds'")
    found = metrics_of(client)
    assert found['hrims_runs{pool="",state="waiting"}'] == 1
    assert 90 <= found['hrims_oldest_waiting_run_seconds{pool=""}'] < 3600
    assert found["hrims_pools_without_worker"] == 1
    conn.execute("UPDATE runs SET trouble_code = 'remote_timeout'")
    end_run(conn, first, "failed")
    found = metrics_of(client)
    assert found['hrims_runs{pool="",state="waiting"}'] == 0
    assert found['hrims_oldest_waiting_run_seconds{pool=""}'] == 0
    assert found['hrims_runs_ended_total{cause="remote_timeout",kind="sync",outcome="failed"}'] == 1


@open_metrics
def test_a_run_that_must_not_start_yet_does_not_wait(client: Browser, conn: Connection) -> None:
    enqueue_run_of(conn, institution(conn))
    conn.execute(
        "UPDATE runs SET requested_at = now() - interval '1 day', not_before = now() + interval '1 hour'"
    )
    assert metrics_of(client)['hrims_oldest_waiting_run_seconds{pool=""}'] == 0
    conn.execute("UPDATE runs SET not_before = now() - interval '1 minute'")
    assert 60 <= metrics_of(client)['hrims_oldest_waiting_run_seconds{pool=""}'] < 3600


@open_metrics
def test_a_run_that_is_tried_again_waits_from_then_on(client: Browser, conn: Connection) -> None:
    run_id = enqueue_run_of(conn, institution(conn))
    end_run(conn, run_id, "failed")
    conn.execute("UPDATE runs SET requested_at = now() - interval '3 days'")
    control.retry(conn, system("test"), run_id)
    assert metrics_of(client)['hrims_oldest_waiting_run_seconds{pool=""}'] < 3600


@open_metrics
def test_a_complete_result_makes_an_institution_fresh(client: Browser, conn: Connection) -> None:
    end_run(conn, enqueue_run_of(conn, institution(conn)))
    assert metrics_of(client)['hrims_institutions{last_complete="day"}'] == 1
    conn.execute("UPDATE runs SET finished_at = now() - interval '3 days'")
    assert metrics_of(client)['hrims_institutions{last_complete="week"}'] == 1
    assert metrics_of(client)['hrims_institutions{last_complete="day"}'] == 0
    conn.execute("UPDATE runs SET finished_at = now() - interval '34 days'")
    assert metrics_of(client)['hrims_institutions{last_complete="month"}'] == 1
    conn.execute("UPDATE runs SET finished_at = now() - interval '36 days'")
    assert metrics_of(client)['hrims_institutions{last_complete="older"}'] == 1


@open_metrics
def test_workers_and_breakers(client: Browser, conn: Connection) -> None:
    register_worker(conn)
    conn.execute("UPDATE workers SET host = 'here', address = 'http://hrims', version = '0.0.9'")
    conn.execute(
        "INSERT INTO remote_breakers (host, address, reason, code, probe_at)"
        " VALUES ('here', 'http://hrims', 'Down.', 'remote_timeout', now())"
    )
    found = metrics_of(client)
    assert found['hrims_workers{pool="",state="alive"}'] == 1
    assert found["hrims_workers_outdated"] == 1
    assert found['hrims_circuit_breakers_open{code="remote_timeout"}'] == 1
    conn.execute("UPDATE workers SET last_beat = now() - interval '50 minutes'")
    found = metrics_of(client)
    assert found['hrims_workers{pool="",state="silent"}'] == 1
    assert found['hrims_workers{pool="",state="alive"}'] == 0
    assert 'hrims_circuit_breakers_open{code="remote_timeout"}' not in found
    conn.execute("UPDATE workers SET last_beat = now() - interval '61 minutes'")
    assert metrics_of(client)['hrims_workers{pool="",state="silent"}'] == 0


@open_metrics
def test_pools_whose_workers_have_no_address(client: Browser, conn: Connection) -> None:
    figure = "hrims_pools_without_address"
    register_worker(conn)
    conn.execute("UPDATE workers SET address = '', remote_problem = 'It lacks the key.'")
    assert metrics_of(client)[figure] == 0, "there is nothing to fetch"
    enqueue_run_of(conn, institution(conn))
    assert metrics_of(client)[figure] == 1
    register_worker(conn)
    assert metrics_of(client)[figure] == 0, "one worker takes the runs"
    conn.execute("UPDATE workers SET address = ''")
    assert metrics_of(client)[figure] == 1
    conn.execute("UPDATE workers SET last_beat = now() - interval '50 minutes'")
    found = metrics_of(client)
    assert (found[figure], found["hrims_pools_without_worker"]) == (0, 1)


@open_metrics
def test_requests_are_counted_by_route_and_never_by_path(client: Browser, officer: Browser) -> None:
    name = 'hrims_http_request_duration_seconds_count{{method="{}",route="{}",status="{}"}}'
    known = name.format("GET", "/api/hrims/job-status/<job_id>", 404)
    unknown = name.format("GET", "unmatched", 404)
    odd = name.format("other", "unmatched", 404)
    before = metrics_of(client)
    officer.get("/api/hrims/job-status/47114711471147")
    officer.get("/no/such/place")
    officer.open("/no/such/place", method="BREW")
    after = metrics_of(client)
    for sample in (known, unknown, odd):
        assert after[sample] - before.get(sample, 0) == 1, sample
    assert "47114711471147" not in client.get(PATH).text


@with_token
def test_it_needs_the_token(client: Browser, conn: Connection) -> None:
    assert error_of(client.get(PATH)) == (401, "not_signed_in")
    assert error_of(client.get(PATH, headers=bearer("a wrong token"))) == (401, "bad_token")
    assert error_of(client.get(PATH, headers={"Authorization": f"Basic {SECRET}"})) == (401, "not_signed_in")
    assert client.get(PATH, headers=bearer(SECRET)).status_code == 200


def test_without_settings_a_token_of_the_api_reads_it(client: Browser, conn: Connection) -> None:
    token = add_machine(conn, "prometheus", "auditor")
    assert error_of(client.get(PATH)) == (401, "not_signed_in")
    assert client.get(PATH, headers=bearer(token)).status_code == 200
    tokens.revoke(conn, system("test"), "prometheus")
    assert error_of(client.get(PATH, headers=bearer(token))) == (401, "bad_token")


def test_a_known_token_still_reads_it_while_the_database_is_away(
    app: Flask, client: Browser, conn: Connection
) -> None:
    token = add_machine(conn, "prometheus", "auditor")
    state = app_state.state_of(app)
    assert client.get(PATH, headers=bearer(token)).status_code == 200
    state.close()
    state.settings = msgspec.structs.replace(state.settings, database_url=NOWHERE)
    answer = client.get(PATH, headers=bearer(token))
    assert (answer.status_code, "hrims_database_up 0.0" in answer.text) == (200, True)
    assert error_of(client.get(PATH, headers=bearer("another"))) == (401, "bad_token")


def test_scrapes_of_a_database_that_does_not_answer_use_one_connection_for_their_token(
    app: Flask, client: Browser, conn: Connection, dsn: str
) -> None:
    token = add_machine(conn, "prometheus", "auditor")
    assert client.get(PATH, headers=bearer(token)).status_code == 200
    with psycopg.connect(dsn) as blocker:
        blocker.execute("LOCK TABLE tokens IN ACCESS EXCLUSIVE MODE")
        for _ in range(3):
            assert client.get(PATH, headers=bearer(token)).status_code == 200
        assert count_blocked(conn) == 1


@away
def test_a_database_that_is_away(client: Browser) -> None:
    answer = client.get(PATH, headers=bearer(SECRET))
    assert answer.status_code == 200
    assert "hrims_database_up 0.0" in answer.text.splitlines()
    assert "hrims_runs" not in answer.text


@open_metrics
def test_a_database_that_does_not_answer(client: Browser, conn: Connection, dsn: str) -> None:
    """A lock stands for a frozen server: the statement returns only after the scrape has."""
    assert metrics_of(client)["hrims_database_up"] == 1
    with psycopg.connect(dsn) as blocker:
        blocker.execute("LOCK TABLE queue_settings IN ACCESS EXCLUSIVE MODE")
        for _ in range(2):
            assert metrics_of(client)["hrims_database_up"] == 0
    done = threading.Event()
    while not done.wait(0.05):
        if metrics_of(client)["hrims_database_up"]:
            done.set()


@open_metrics
def test_a_schema_of_another_version(client: Browser, conn: Connection, app: Flask) -> None:
    *_, before, last = load_migrations()
    execute_as_owner(conn, f"DELETE FROM schema_migrations WHERE name = '{last.name}'")
    found = metrics_of(client)
    assert (found["hrims_database_up"], found["hrims_schema_usable"]) == (1, 0)
    assert found["hrims_schema_version"] == int(before.name[:4])
    assert 'hrims_runs{pool="",state="waiting"}' not in found


def test_the_refusal_says_what_to_do(app: Flask) -> None:
    message = new_browser(app).get(PATH, headers={"Accept": "application/json"}).get_json()["message"]
    assert message == exposition.REFUSED
    assert "HRIMS_METRICS_TOKEN" in message
