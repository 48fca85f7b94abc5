"""A user has at most four event streams over all web processes, however these end."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import psycopg
import pytest

from hrims.access import keys, sessions
from hrims.db import Connection
from hrims.limits.streams import EXPIRES_AFTER
from tests.support.databases import clone
from tests.support.served import Served
from tests.support.users import add_cast, add_machine, add_user
from tests.web.browsers import ADDRESS
from tests.web.runs import end_run

PATH = "/api/hrims/sync-status"

LIMIT = 4

HEARTBEAT = 0.5


@pytest.fixture(scope="module")
def dsn(server_dsn: str, template_database: str) -> Iterator[str]:
    """DSN of the database that the tests of this module share, as they share the web processes."""
    with clone(server_dsn, template_database) as made:
        yield made


@pytest.fixture
def conn(dsn: str) -> Iterator[Connection]:
    """Provide an autocommit connection to the database, in which is nothing yet."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("TRUNCATE institutions, runs, users, procrastinate_jobs RESTART IDENTITY CASCADE")
        # Its ids go on: a late process may still close a stream of the test before by its id.
        connection.execute("TRUNCATE event_streams")
        add_cast(connection)
        yield connection


@pytest.fixture(scope="module")
def served(dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Provide three web processes behind one port."""
    env = {"DATABASE_URL": dsn, "HRIMS_WEB_PROCESSES": "3"}
    with Served(tmp_path_factory.mktemp("web"), env, heartbeat=HEARTBEAT) as running:
        yield running
        assert "Traceback" not in running.log.read_text()


Login = Callable[[str], httpx.Client]


@pytest.fixture
def sign_in(served: Served, conn: Connection) -> Iterator[Login]:
    """Provide a function that signs a new user in."""
    with ExitStack() as stack:

        def login(name: str) -> httpx.Client:
            token = sessions.begin(conn, add_user(conn, name, "officer"), ADDRESS, hours=1)
            cookies = {f"hrims_session_{keys.instance_id(conn)}": token}
            client = httpx.Client(base_url=served.url, cookies=cookies, timeout=30, trust_env=False)
            return stack.enter_context(client)

        yield login


def open_stream(client: httpx.Client, job: int, stack: ExitStack) -> int:
    """Open a stream until the end of the stack and read its first event. Return the status."""
    answer = stack.enter_context(client.stream("GET", f"{PATH}/{job}"))
    if answer.status_code == 200:
        # Kept on the stack: the response is closed with its iterator.
        lines = stack.enter_context(closing(answer.iter_lines()))  # type: ignore[type-var] # a generator
        assert next(lines) == "event: status"
    return answer.status_code


def wait_for_count(conn: Connection, count: int) -> None:
    """Wait until so many streams are counted."""
    until = time.monotonic() + 20
    while conn.execute("SELECT count(*) FROM event_streams").fetchone() != (count,):
        assert time.monotonic() < until, conn.execute("SELECT * FROM event_streams").fetchall()
        time.sleep(0.05)


def test_it_works(sign_in: Login, conn: Connection, job: int) -> None:
    asha = sign_in("asha")
    with ExitStack() as stack:
        assert [open_stream(asha, job, stack) for _ in range(LIMIT)] == [200] * LIMIT
        refused = asha.get(f"{PATH}/{job}")
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "15")
        assert refused.json()["code"] == "too_many_streams"
        assert "4 live streams" in refused.json()["message"]
        assert asha.get(f"/api/hrims/job-status/{job}").status_code == 200
        assert open_stream(sign_in("juma"), job, stack) == 200
    wait_for_count(conn, 0)


def test_a_closed_stream_gives_its_place_back(sign_in: Login, conn: Connection, job: int) -> None:
    asha = sign_in("asha")
    with ExitStack() as stack:
        with ExitStack() as first:
            open_stream(asha, job, first)
            assert [open_stream(asha, job, stack) for _ in range(LIMIT)] == [200, 200, 200, 429]
        wait_for_count(conn, LIMIT - 1)
        assert open_stream(asha, job, stack) == 200


def test_a_token_has_a_limit_too(served: Served, conn: Connection, job: int) -> None:
    token = add_machine(conn, "nightly")
    headers = {"Authorization": f"Bearer {token}"}
    with (
        httpx.Client(base_url=served.url, headers=headers, timeout=30, trust_env=False) as machine,
        ExitStack() as stack,
    ):
        assert [open_stream(machine, job, stack) for _ in range(LIMIT + 1)] == [200] * LIMIT + [429]


def test_requests_at_the_same_time_share_the_limit(sign_in: Login, conn: Connection, job: int) -> None:
    asha = sign_in("asha")
    with ExitStack() as stack:
        answers = [stack.enter_context(asha.stream("GET", f"{PATH}/{job}")) for _ in range(3 * LIMIT)]
        assert sorted(answer.status_code for answer in answers) == [200] * LIMIT + [429] * (2 * LIMIT)


def test_a_stream_is_refreshed_with_each_heartbeat(sign_in: Login, conn: Connection, job: int) -> None:
    with ExitStack() as stack:
        open_stream(sign_in("asha"), job, stack)
        row = conn.execute(
            "UPDATE event_streams SET seen_at = now() - interval '1 hour' RETURNING id"
        ).fetchone()
        wait_for_count_of_fresh(conn)
        conn.execute("DELETE FROM event_streams")
        wait_for_count(conn, 1)
        assert conn.execute("SELECT id FROM event_streams").fetchone() == row


def wait_for_count_of_fresh(conn: Connection) -> None:
    """Wait until a stream was refreshed."""
    until = time.monotonic() + 20
    fresh = "SELECT count(*) FROM event_streams WHERE seen_at > now() - interval '1 minute'"
    while conn.execute(fresh).fetchone() != (1,):
        assert time.monotonic() < until
        time.sleep(0.05)


def test_streams_of_a_killed_process_expire(
    sign_in: Login, served: Served, conn: Connection, job: int
) -> None:
    asha = sign_in("asha")
    with ExitStack() as stack:
        for _ in range(LIMIT):
            open_stream(asha, job, stack)
        for pid in _children_of(served.process.pid):
            os.kill(pid, signal.SIGKILL)
    until = time.monotonic() + 30
    while asha.get("/healthz").status_code != 200:
        assert time.monotonic() < until
    assert asha.get(f"{PATH}/{job}").status_code == 429
    conn.execute("UPDATE event_streams SET seen_at = now() - make_interval(secs => %s)", (EXPIRES_AFTER + 1,))
    with ExitStack() as stack:
        assert open_stream(asha, job, stack) == 200
        wait_for_count(conn, 1)


def _children_of(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    return [int(child) for child in children.split()]


def test_a_run_that_has_ended_needs_no_place(sign_in: Login, conn: Connection, job: int) -> None:
    asha = sign_in("asha")
    end_run(conn, job)
    for _ in range(LIMIT + 2):
        assert asha.get(f"{PATH}/{job}").status_code == 200
    assert conn.execute("SELECT count(*) FROM event_streams").fetchone() == (0,)


def test_a_read_only_database_does_not_refuse_streams(
    sign_in: Login, conn: Connection, dsn: str, job: int, tmp_path: Path
) -> None:
    asha, name = sign_in("asha"), conn.info.dbname
    with Served(tmp_path, {"DATABASE_URL": dsn}) as web, ExitStack() as stack:
        asha.base_url = web.url
        # While it can write: the process makes the key of forms at its first request.
        assert asha.get("/api/hrims/institutions").status_code == 200
        stack.callback(conn.execute, f"ALTER DATABASE {name} RESET default_transaction_read_only".encode())
        conn.execute(f"ALTER DATABASE {name} SET default_transaction_read_only = on".encode())
        conn.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert [open_stream(asha, job, stack) for _ in range(LIMIT + 1)] == [200] * (LIMIT + 1)
