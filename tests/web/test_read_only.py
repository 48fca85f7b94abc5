"""The database is read-only for a while: pages can be read, writes are refused in words, health says so, and
afterwards everything works without a restart.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from hrims import session_state
from hrims.db import Connection
from hrims.web.core import app_state
from tests.database.runs import register_worker
from tests.web.browsers import Browser
from tests.web.error_shape import FETCH, HOME, check
from tests.web.lists import with_lists
from tests.web.metrics import OPEN, metrics_of
from tests.web.runs import enqueue_run_of, institution

Spell = Callable[[], AbstractContextManager[None]]

CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"

SETTING = "default_transaction_read_only"

BANNER = "/dashboard/admin/workers/banner"


@pytest.fixture
def spell(dsn: str, server_dsn: str) -> Spell:
    """Within it every new session of this test's database is read-only, and there are only new ones."""
    name = str(conninfo_to_dict(dsn)["dbname"])

    @contextmanager
    def read_only() -> Iterator[None]:
        with psycopg.connect(server_dsn, autocommit=True) as server:
            _alter(server, name, "SET {} = on")
            server.execute(CUT, (name,))
            yield
            _alter(server, name, "RESET {}")

    return read_only


def _alter(server: Connection, name: str, command: str) -> None:
    alter = sql.SQL("ALTER DATABASE {} ").format(sql.Identifier(name))
    server.execute(alter + sql.SQL(command).format(sql.Identifier(SETTING)))


@pytest.fixture
def number(conn: Connection, dsn: str) -> int:
    """Provide an institution that can be fetched."""
    return institution(conn)


def fetch(browser: Browser, number: int) -> int:
    """Asks for a run; returns the status."""
    params = {"institutionId": number, "identifierType": "votecode", "voteNumber": "001"}
    answer = browser.post(FETCH, json=params)
    if answer.status_code == 503:
        message = check(answer, 503, "database_read_only")["message"]
        assert message.startswith("The database is read-only; nothing was changed.")
        assert int(answer.headers["Retry-After"]) > 0
    return answer.status_code


def soon(ask: Callable[[], int]) -> int:
    """Asks until the answer is not 503: a session that was opened a moment ago may be used once more."""
    until = time.monotonic() + 20
    while (status := ask()) == 503 and time.monotonic() < until:
        time.sleep(0.05)
    return status


def test_writes_are_refused_in_words_and_succeed_afterwards(
    api: Browser, officer: Browser, number: int, spell: Spell
) -> None:
    token = officer.csrf()
    with spell():
        for _ in range(3):
            assert fetch(api, number) == 503
        assert officer.get(HOME).status_code == 200
        assert api.get("/api/hrims/institutions").status_code == 200
        page = officer.post("/sign-out", data={"csrf_token": token})
        assert page.status_code == 503
        assert "The database is read-only; nothing was changed." in page.text
    assert soon(lambda: fetch(api, number)) == 202
    # Another session of the pool may have been opened a moment ago as well.
    assert soon(lambda: officer.post("/sign-out", data={"csrf_token": token}).status_code) == 303


def test_a_session_of_the_spell_that_was_not_used_is_not_used_after_it(
    api: Browser, number: int, spell: Spell, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pool opens sessions in advance."""
    monkeypatch.setattr(session_state, "READ_ONLY_SECONDS", 0.2)
    with spell():
        for _ in range(3):
            assert fetch(api, number) == 503
    time.sleep(0.3)  # so old the session is that the pool has opened
    assert [fetch(api, number) for _ in range(3)] == [202, 200, 200]


@pytest.mark.parametrize("environment", [OPEN], indirect=True)
def test_health_says_so(client: Browser, conn: Connection, spell: Spell) -> None:
    register_worker(conn)
    assert client.get("/readyz").status_code == 200
    with spell():
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert (answer.get_json()["database"], answer.get_json()["writable"]) == (True, False)
        assert client.get("/healthz").get_json() == {"ok": True, "readOnly": True}
        assert metrics_of(client)["hrims_database_writable"] == 0
    assert soon(lambda: client.get("/readyz").status_code) == 200
    assert client.get("/healthz").get_json() == {"ok": True, "readOnly": False}
    assert soon(lambda: 200 if metrics_of(client)["hrims_database_writable"] else 503) == 200


def test_the_web_starts_in_the_spell(client: Browser, conn: Connection, spell: Spell) -> None:
    """Before the first start there is no key that signs forms, and none can be made now."""
    conn.execute("DELETE FROM app_secrets")
    with spell():
        assert client.get("/healthz").status_code == 200
        for answer in (client.get("/sign-in"), client.post("/sign-in", data={"name": "a", "password": "b"})):
            assert answer.status_code == 503
            assert int(answer.headers["Retry-After"]) > 0
    assert soon(lambda: client.get("/sign-in").status_code) == 200


def test_a_run_that_is_followed_in_the_spell_is_still_shown(
    api: Browser, conn: Connection, number: int, spell: Spell
) -> None:
    run_id = enqueue_run_of(conn, number)
    with spell():
        assert api.get(f"/api/hrims/job-status/{run_id}").get_json()["state"] == "waiting"


def test_people_are_found_in_the_spell(
    officer: Browser, conn: Connection, dsn: str, spell: Spell, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing can be kept for Back and reload, so the answer shows the results at once.

    Views and searches cannot be recorded, so the log has them. A reveal or an export is refused.
    """
    with_lists(conn, dsn, lambda lists: lists.run([1]))
    officer.csrf()
    with spell():
        answer = officer.press("/dashboard/admin/people", words="Asha")
        assert answer.status_code == 200
        assert "Asha Mtu 1 Makame" in answer.text
        assert officer.get("/dashboard/admin/people/1").status_code == 200
        for action in ("people.search", "person.view"):
            assert any("reading_not_recorded" in line and action in line for line in caplog.messages), action
        refused = officer.press("/dashboard/admin/people/1", reason="Asked by the employee")
        assert (refused.status_code, "580330001" in refused.text) == (503, False)
        assert officer.get("/dashboard/admin/rejects/rejects.csv").status_code == 503


def test_the_banner_says_so_and_nothing_of_workers(officer: Browser, conn: Connection, spell: Spell) -> None:
    """No heartbeat can be written meanwhile: that proves nothing about the workers."""
    officer.csrf()
    app_state.state_of(officer.application).close()  # as a process that starts within the spell
    with spell():
        said = officer.get(BANNER).text
    assert "The database is read-only." in said
    assert "worker" not in said
