"""Limits of requests for each user, token and address, and of the runs that one user queues."""

import threading
from typing import Any

import pytest
from flask import Flask

from hrims import connection_pools
from hrims.db import Connection
from hrims.errors import TooMany
from hrims.jobs import control, enqueue
from hrims.jobs.enqueue_person import enqueue_person
from tests.support.databases import execute_as_owner
from tests.support.users import ASHA, OMAR, add_machine
from tests.web.browsers import Browser, new_browser, signed_in

INSTITUTIONS = "/api/hrims/institutions"

LOW = {
    "HRIMS_REQUESTS_PER_CLIENT": "5",
    "HRIMS_REQUESTS_PER_ADDRESS": "12",
    "HRIMS_WRONG_TOKENS_PER_ADDRESS": "3",
}


@pytest.fixture(autouse=True)
def within_a_minute(conn: Connection) -> None:
    """Freeze the minute of the counts: a test must not cross into the next one."""
    execute_as_owner(
        conn,
        "CREATE OR REPLACE FUNCTION count_request(clients text[])"
        " RETURNS TABLE (client text, requests integer, seconds_left integer) LANGUAGE sql AS $$"
        " INSERT INTO request_counts AS c (client, minute, requests)"
        " SELECT DISTINCT unnest(clients), timestamptz '2026-12-01', 1"
        " ON CONFLICT ON CONSTRAINT request_counts_pkey DO UPDATE SET requests = c.requests + 1"
        " RETURNING c.client, c.requests, 17 $$",
    )


def statuses(machine: Browser, times: int, token: str) -> list[int]:
    """Return the statuses of requests with a token."""
    headers = {"Authorization": f"Bearer {token}"}
    return [machine.get(INSTITUTIONS, headers=headers).status_code for _ in range(times)]


@pytest.mark.parametrize("environment", [LOW], indirect=True)
def test_a_token_that_asks_too_often_waits_and_others_do_not(app: Flask, conn: Connection) -> None:
    machine = new_browser(app)
    busy, calm = add_machine(conn, "busy"), add_machine(conn, "calm")
    assert statuses(machine, 7, busy) == [200] * 5 + [429] * 2
    answer: Any = machine.get(INSTITUTIONS, headers={"Authorization": f"Bearer {busy}"})
    assert answer.headers["Retry-After"] == "17"
    assert (answer.get_json()["code"], answer.get_json()["success"]) == ("too_many_requests", False)
    assert statuses(machine, 1, calm) == [200]


@pytest.mark.parametrize("environment", [LOW], indirect=True)
def test_an_address_is_limited_too(app: Flask, conn: Connection) -> None:
    machine = new_browser(app)
    tokens = [add_machine(conn, f"machine{number}") for number in range(4)]
    found = [status for token in tokens for status in statuses(machine, 4, token)]
    assert found == [200] * 12 + [429] * 4
    machine.environ_base["REMOTE_ADDR"] = "192.0.2.9"
    assert statuses(machine, 1, tokens[3]) == [200]


@pytest.mark.parametrize("environment", [LOW], indirect=True)
def test_wrong_tokens_are_throttled_and_right_ones_are_not(app: Flask, conn: Connection) -> None:
    machine = new_browser(app)
    assert statuses(machine, 5, "hrims_wrong") == [401] * 3 + [429] * 2
    assert statuses(machine, 1, add_machine(conn)) == [200]


@pytest.mark.parametrize("environment", [LOW], indirect=True)
@pytest.mark.parametrize("path", [INSTITUTIONS, "/metrics"])
@pytest.mark.parametrize("header", ["Bearer hrims_wrong", "Bearer", "Bearer ", "Basic x", "x"])
def test_every_wrong_sign_in_of_a_machine_is_throttled(
    app: Flask, conn: Connection, path: str, header: str
) -> None:
    machine = new_browser(app)
    answers = [machine.get(path, headers={"Authorization": header}) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [401] * 3 + [429] * 2
    assert answers[-1].headers["Retry-After"] == "17"
    right = {"Authorization": f"Bearer {add_machine(conn)}"}
    assert machine.get(path, headers=right).status_code == 200
    assert [machine.get(path).status_code for _ in range(5)] == [401] * 5


@pytest.mark.parametrize("environment", [LOW], indirect=True)
def test_a_page_is_refused_in_words(app: Flask, conn: Connection) -> None:
    browser = signed_in(new_browser(app), conn, "asha", "officer")
    answers = [browser.get("/dashboard/admin/people") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert "Too many requests in this minute" in answers[-1].text
    assert answers[-1].headers["Retry-After"] == "17"


@pytest.mark.parametrize("environment", [LOW | {"HRIMS_REQUESTS_PER_CLIENT": "0"}], indirect=True)
def test_zero_removes_a_limit(app: Flask, conn: Connection) -> None:
    assert statuses(new_browser(app), 8, add_machine(conn)) == [200] * 8


def test_one_user_does_not_fill_the_queue(conn: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enqueue, "MAX_QUEUED", 3)
    for number in range(3):
        enqueue_person(conn, ASHA, f"59267567{number}")
    with pytest.raises(TooMany, match="Nothing was queued"):
        enqueue_person(conn, ASHA, "592675679")
    assert enqueue_person(conn, ASHA, "592675670").deduplicated
    conn.execute("UPDATE runs SET state = 'cancelled', finished_at = now() WHERE id = 1")
    assert not enqueue_person(conn, ASHA, "592675679").deduplicated


def test_retries_do_not_fill_the_queue(conn: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(enqueue, "MAX_QUEUED", 3)
    runs = []
    for number in range(5):
        runs.append(enqueue_person(conn, ASHA, f"59267567{number}").run_id)
        control.cancel(conn, ASHA, runs[-1])
    for run_id in runs[:3]:
        control.retry(conn, ASHA, run_id)
    with pytest.raises(TooMany, match="Nothing was queued"):
        control.retry(conn, ASHA, runs[3])
    waiting = "SELECT count(*) FROM runs WHERE state = 'waiting'"
    assert conn.execute(waiting).fetchone() == (3,)
    # From then on the run is one of the user who has retried it.
    control.retry(conn, OMAR, runs[3])
    control.cancel(conn, ASHA, runs[0])
    control.retry(conn, ASHA, runs[4])
    assert conn.execute(waiting).fetchone() == (4,)


def test_requests_at_once_do_not_pass_the_limit_together(
    dsn: str, conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(enqueue, "MAX_QUEUED", 3)
    pool, together, refused = connection_pools.open_pool(dsn, max_size=8), threading.Barrier(8), []

    def ask(number: int) -> None:
        with pool.connection() as own_conn:
            together.wait()
            try:
                enqueue_person(own_conn, ASHA, f"59267567{number}")
            except TooMany:
                refused.append(number)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    pool.close()
    assert (len(refused), conn.execute("SELECT count(*) FROM runs").fetchone()) == (5, (3,))
