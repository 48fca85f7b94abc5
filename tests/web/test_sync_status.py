"""GET /api/hrims/sync-status/<jobId>: server-sent events from the real web process."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import psycopg
import pytest

from hrims.access import keys, sessions, tokens, users
from hrims.access.actor import system
from hrims.db import Connection
from tests.support.databases import clone, execute_as_owner
from tests.support.event_stream import Event, parse_events
from tests.support.served import Served
from tests.support.users import add_cast, add_machine, add_user
from tests.web.browsers import ADDRESS, Browser
from tests.web.metrics import OPEN
from tests.web.runs import end_run, error_of

PATH = "/api/hrims/sync-status"

MOST = 3
"""Streams that the web process of these tests holds open."""

NEVER = 600.0

with_heartbeats = pytest.mark.parametrize("served", [1.0], indirect=True, ids=["heartbeats"])


@pytest.fixture(scope="module")
def dsn(server_dsn: str, template_database: str) -> Iterator[str]:
    """DSN of the database that the tests of this module share, as they share the web process."""
    with clone(server_dsn, template_database) as made:
        yield made


@pytest.fixture
def conn(dsn: str) -> Iterator[Connection]:
    """Provide an autocommit connection to the database, in which is nothing yet."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        execute_as_owner(
            connection,
            "TRUNCATE institutions, runs, users, tokens, procrastinate_jobs RESTART IDENTITY CASCADE",
        )
        add_cast(connection)
        yield connection


@pytest.fixture(scope="module")
def served(
    dsn: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Iterator[Served]:
    """Provide the real web process. Unless a test asks for heartbeats, none comes while it runs."""
    env = {"DATABASE_URL": dsn, "HRIMS_MAX_STREAMS": str(MOST), **OPEN}
    heartbeat = getattr(request, "param", NEVER)
    with Served(tmp_path_factory.mktemp("web"), env, heartbeat=heartbeat) as running:
        yield running


@pytest.fixture
def http(served: Served, conn: Connection) -> Iterator[httpx.Client]:
    """Provide a machine with a token."""
    token = add_machine(conn, "nightly")
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=served.url, headers=headers, timeout=30, trust_env=False) as client:
        # The process still counts the streams of the test before until it notices that they are closed.
        _until_open(client, 0)
        yield client


@pytest.fixture
def browser(served: Served, conn: Connection) -> Iterator[httpx.Client]:
    """Provide a browser in which the officer asha is signed in."""
    token = sessions.begin(conn, add_user(conn, "asha", "officer"), ADDRESS, hours=1)
    cookies = {f"hrims_session_{keys.instance_id(conn)}": token}
    with httpx.Client(base_url=served.url, cookies=cookies, timeout=30, trust_env=False) as client:
        yield client


@contextmanager
def stream(http: httpx.Client, job: int) -> Iterator[Iterator[Event]]:
    """Provide the events of a job, as they come."""
    with http.stream("GET", f"{PATH}/{job}") as answer:
        assert answer.status_code == 200
        assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
        yield parse_events(answer.iter_lines())


def save_some(conn: Connection, saved: int) -> None:
    """Save a page."""
    conn.execute("UPDATE run_progress SET saved = %s, pages = pages + 1, remote_total = 100", (saved,))


def test_it_works(http: httpx.Client, conn: Connection, job: int) -> None:
    with stream(http, job) as events:
        name, status = next(events)
        assert (name, status["state"], status["jobId"]) == ("status", "waiting", str(job))
        assert next(events)[0] == "progress"
        conn.execute("UPDATE runs SET state = 'active', attempt = 1, started_at = now()")
        name, status = next(events)
        assert (name, status["state"]) == ("status", "active")
        assert next(events)[0] == "progress"
        save_some(conn, 40)
        name, progress = next(events)
        assert (name, progress["saved"], progress["progressPercent"]) == ("progress", 40, 40)
        end_run(conn, job)
        rest = list(events)
    assert [name for name, _ in rest] == ["status", "progress", "complete"]
    assert (rest[-1][1]["outcome"], rest[-1][1]["employees"]) == ("complete", [])


def test_a_run_that_ended_long_ago_answers_at_once(http: httpx.Client, conn: Connection, job: int) -> None:
    end_run(conn, job)
    with stream(http, job) as events:
        assert [name for name, _ in events] == ["status", "progress", "complete"]


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_a_run_without_a_result_ends_in_an_error(
    http: httpx.Client, conn: Connection, job: int, state: str
) -> None:
    with stream(http, job) as events:
        next(events)
        end_run(conn, job, state)
        name, error = list(events)[-1]
    assert (name, error["success"], error["state"]) == ("error", False, state)


def test_many_streams_share_one_listening_connection(http: httpx.Client, conn: Connection, job: int) -> None:
    with stream(http, job) as one, stream(http, job) as two, stream(http, job) as three:
        streams = [one, two, three]
        for events in streams:
            assert [next(events)[0], next(events)[0]] == ["status", "progress"]
        listening = """SELECT count(*) FROM pg_stat_activity
                       WHERE application_name = 'hrims streams' AND datname = current_database()"""
        assert conn.execute(listening).fetchone() == (1,)
        save_some(conn, 7)
        assert [next(events)[1]["saved"] for events in streams] == [7, 7, 7]


def test_beyond_the_limit_it_says_when_to_retry_and_a_closed_stream_is_free_again(
    http: httpx.Client, conn: Connection, job: int
) -> None:
    with stream(http, job) as one, stream(http, job) as two:
        with stream(http, job) as three:
            for events in (one, two, three):
                next(events)
            full = http.get(f"{PATH}/{job}")
            assert (full.status_code, full.headers["Retry-After"]) == (503, "5")
            assert full.json()["code"] == "streams_full"
            assert http.get(f"/api/hrims/job-status/{job}").status_code == 200
        _until_open(http, 2)
        with stream(http, job) as again:
            assert next(again)[0] == "status"


def _until_open(http: httpx.Client, streams: int) -> None:
    """Wait until the server notices that a client disconnected. It sends nothing, so no write can fail."""
    until = time.monotonic() + 20
    while f"hrims_event_streams {streams}.0" not in http.get("/metrics").text:
        assert time.monotonic() < until, "the server did not notice that the client disconnected"
        time.sleep(0.05)


def test_it_goes_on_when_its_connection_to_postgres_was_cut(
    http: httpx.Client, conn: Connection, job: int
) -> None:
    with stream(http, job) as events:
        next(events), next(events)
        cut = (
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
            " AND datname = current_database() AND backend_type = 'client backend'"
        )
        conn.execute(cut)
        save_some(conn, 9)
        while (event := next(events))[1].get("saved") != 9:
            assert event[0] in {"progress", "heartbeat", "status"}


def test_refusals(api: Browser, client: Browser, job: int) -> None:
    assert error_of(api.get(f"{PATH}/abc")) == (400, "bad_job_id")
    assert error_of(api.get(f"{PATH}/4711")) == (404, "unknown_job")
    assert error_of(client.get(f"{PATH}/{job}")) == (401, "not_signed_in")


@with_heartbeats
def test_a_heartbeat_fills_the_quiet(http: httpx.Client, job: int) -> None:
    with stream(http, job) as events:
        assert [next(events)[0] for _ in range(3)] == ["status", "progress", "heartbeat"]


OPERATOR = system("test")


def revoke(conn: Connection) -> None:
    """Revoke the token of the machine."""
    tokens.revoke(conn, OPERATOR, "nightly")


def disable(conn: Connection) -> None:
    """Disable the user."""
    users.disable(conn, OPERATOR, "asha")


def sign_out(conn: Connection) -> None:
    """Sign the user out."""
    conn.execute("DELETE FROM sessions")


@pytest.mark.parametrize(
    ("client", "end_access"), [("http", revoke), ("browser", disable), ("browser", sign_out)]
)
def test_names_are_not_sent_after_access_ended(
    request: pytest.FixtureRequest,
    conn: Connection,
    job: int,
    client: str,
    end_access: Callable[[Connection], None],
) -> None:
    with stream(request.getfixturevalue(client), job) as events:
        assert [next(events)[0], next(events)[0]] == ["status", "progress"]
        end_access(conn)
        end_run(conn, job)
        assert [name for name, _ in events] == ["status", "progress"]


@with_heartbeats
def test_a_quiet_stream_closes_after_access_ended(browser: httpx.Client, conn: Connection, job: int) -> None:
    with stream(browser, job) as events:
        next(events)
        disable(conn)
        assert [name for name, _ in events] == ["progress"]


@with_heartbeats
def test_a_busy_stream_closes_after_access_ended(http: httpx.Client, conn: Connection, job: int) -> None:
    with stream(http, job) as events:
        next(events)
        revoke(conn)
        for saved, (name, _) in enumerate(events):
            assert name == "progress"
            save_some(conn, saved)
