"""POST /api/hrims/fetch-person."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from hrims.db import Connection
from hrims.jobs.enqueue_person import enqueue_person
from tests.support.users import ASHA
from tests.web.browsers import Browser
from tests.web.runs import error_of

PATH = "/api/hrims/fetch-person"

ZAN_ID = "580330001"


def test_it_works(api: Browser, conn: Connection) -> None:
    answer = api.post(PATH, json={"key": f" {ZAN_ID} "})
    body = answer.get_json()
    assert (answer.status_code, body["success"], body["jobId"]) == (202, True, "1")
    assert body["statusUrl"] == "/api/hrims/sync-status/1"
    rows = conn.execute(
        "SELECT kind, identifier_type, identifier, institution_id, page_size, requested_by FROM runs"
    ).fetchall()
    assert rows == [("person", "person", ZAN_ID, None, 1, "token:nightly")]
    [(args,)] = conn.execute("SELECT args FROM procrastinate_jobs").fetchall()
    assert set(args) == {"run_id", "request_id"}
    status = api.get("/api/hrims/job-status/1").get_json()
    assert (status["state"], status["institutionName"], status["institutionId"]) == (
        "waiting",
        "One person",
        None,
    )


def test_the_number_is_masked_wherever_a_run_is_shown(api: Browser, conn: Connection) -> None:
    answer = api.post(PATH, json={"key": ZAN_ID}).text
    shown = [
        answer,
        api.get("/api/hrims/job-status/1").text,
        str(conn.execute("SELECT * FROM runs_v").fetchall()),
        str(conn.execute("SELECT * FROM jobs_v").fetchall()),
        str(conn.execute("SELECT * FROM audit_log").fetchall()),
    ]
    assert not any(ZAN_ID in one for one in shown)
    assert conn.execute("SELECT identifier FROM runs_v").fetchall() == [("58•••••01",)]


def test_the_second_ask_gets_the_first_ones_run(api: Browser) -> None:
    first = api.post(PATH, json={"key": ZAN_ID}).get_json()["jobId"]
    answer = api.post(PATH, json={"key": ZAN_ID})
    assert (answer.status_code, answer.get_json()["deduplicated"]) == (200, True)
    assert answer.get_json()["jobId"] == first
    assert api.post(PATH, json={"key": "963001"}).status_code == 202


def test_of_many_asks_at_once_one_queues(dsn: str, conn: Connection) -> None:
    def one(_: int) -> Any:
        with psycopg.connect(dsn, autocommit=True) as other:
            return enqueue_person(other, ASHA, ZAN_ID)

    with ThreadPoolExecutor(8) as crowd:
        requested = list(crowd.map(one, range(8)))
    assert len({one.run_id for one in requested}) == 1
    assert sum(not one.deduplicated for one in requested) == 1
    assert conn.execute("SELECT count(*) FROM procrastinate_jobs").fetchone() == (1,)


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("5803 30001", "580330001"),
        (" 580\u00a0330\u2009001\u200b", "580330001"),
        ("PF 12/0963-3", "PF12/0963-3"),
        ("x" * 29 + "1", "x" * 29 + "1"),
    ],
)
def test_spaces_inside_are_removed(api: Browser, conn: Connection, typed: str, asked: str) -> None:
    assert api.post(PATH, json={"key": typed}).status_code == 202
    assert conn.execute("SELECT identifier FROM runs").fetchall() == [(asked,)]


NUMBERLESS = ["abc", "Asha", "Asha Juma", "---", "PF/./-", "\u0661\u0662\u0663\u0664"]


@pytest.mark.parametrize(
    "key", [None, 580330001, "", "12", ["580330001"], "x" * 30 + "1", "1;2", *NUMBERLESS]
)
def test_what_is_no_number_is_refused(api: Browser, conn: Connection, key: object) -> None:
    answer = api.post(PATH, json={"key": key})
    assert error_of(answer) == (400, "bad_key")
    assert conn.execute("SELECT count(*) FROM runs").fetchone() == (0,)


def test_refusals(api: Browser, client: Browser, officer: Browser) -> None:
    assert error_of(api.post(PATH, data="{")) == (400, "not_json")
    assert error_of(api.post(PATH, json=[1])) == (400, "not_json")
    assert error_of(client.post(PATH, json={"key": ZAN_ID})) == (401, "not_signed_in")
    assert error_of(officer.post(PATH, json={"key": ZAN_ID})) == (400, "csrf")
