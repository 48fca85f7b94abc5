"""POST /api/hrims/fetch-by-institution."""

from typing import Any

import pytest

from hrims.db import Connection
from tests.web.browsers import Browser
from tests.web.runs import end_run, error_of, fetch_body

PATH = "/api/hrims/fetch-by-institution"


def runs(conn: Connection) -> list[Any]:
    return conn.execute("SELECT identifier_type, identifier, page_size, requested_by FROM runs").fetchall()


def test_it_works(api: Browser, conn: Connection, health: int) -> None:
    answer = api.post(PATH, json=fetch_body(health))
    assert answer.status_code == 202
    assert answer.get_json() == {
        "success": True,
        "message": "The run for WIZARA YA AFYA is queued.",
        "jobId": "1",
        "institutionName": "WIZARA YA AFYA",
        "statusUrl": "/api/hrims/sync-status/1",
    }
    assert runs(conn) == [("votecode", "001", 100, "token:nightly")]


def test_it_works_by_tin_and_with_a_page_size(api: Browser, conn: Connection, health: int) -> None:
    body = fetch_body(health, identifierType="tin", tinNumber="156255890", voteNumber=None, pageSize=50)
    assert api.post(PATH, json=body).status_code == 202
    assert runs(conn) == [("tin", "156255890", 50, "token:nightly")]


def test_a_run_under_way_answers_for_a_second_wish(api: Browser, conn: Connection, health: int) -> None:
    first = api.post(PATH, json=fetch_body(health)).get_json()
    again = api.post(PATH, json=fetch_body(health))
    assert again.status_code == 200
    assert again.get_json()["deduplicated"] is True
    assert again.get_json()["jobId"] == first["jobId"]
    assert len(runs(conn)) == 1


def test_a_run_that_has_ended_does_not(api: Browser, conn: Connection, health: int) -> None:
    api.post(PATH, json=fetch_body(health))
    end_run(conn, 1)
    assert api.post(PATH, json=fetch_body(health)).status_code == 202


def test_an_officers_browser_needs_its_form_token(officer: Browser, conn: Connection, health: int) -> None:
    assert error_of(officer.post(PATH, json=fetch_body(health))) == (400, "csrf")
    token = {"X-CSRFToken": officer.csrf()}
    assert officer.post(PATH, json=fetch_body(health), headers=token).status_code == 202
    assert runs(conn)[0][3] == "asha"


REFUSED: list[tuple[dict[str, Any], int, str]] = [
    ({"institutionId": 999}, 404, "unknown_institution"),
    ({"institutionId": "abc"}, 400, "bad_institution_id"),
    ({"institutionId": None}, 400, "bad_institution_id"),
    ({"institutionId": True}, 400, "bad_institution_id"),
    ({"institutionId": -1}, 400, "bad_institution_id"),
    ({"institutionId": 2**70}, 400, "bad_institution_id"),
    ({"institutionId": "9" * 5000}, 400, "bad_institution_id"),
    ({"identifierType": "payroll"}, 400, "bad_identifier_type"),
    ({"identifierType": ["votecode"]}, 400, "bad_identifier_type"),
    ({"identifierType": None}, 400, "bad_identifier_type"),
    ({"voteNumber": None}, 400, "missing_identifier"),
    ({"voteNumber": " "}, 400, "missing_identifier"),
    ({"voteNumber": 1}, 400, "missing_identifier"),
    ({"voteNumber": None, "tinNumber": "156255890"}, 400, "missing_identifier"),
    ({"voteNumber": "037"}, 422, "not_its_identifier"),
    ({"pageSize": 0}, 400, "bad_page_size"),
    ({"pageSize": 501}, 400, "bad_page_size"),
    ({"pageSize": "abc"}, 400, "bad_page_size"),
    ({"pageSize": 10.5}, 400, "bad_page_size"),
    ({"pageSize": [100]}, 400, "bad_page_size"),
    ({"pageSize": True}, 400, "bad_page_size"),
]


@pytest.mark.parametrize(("change", "status", "code"), REFUSED)
def test_a_wrong_wish_is_refused_and_changes_nothing(
    api: Browser, conn: Connection, health: int, change: dict[str, Any], status: int, code: str
) -> None:
    assert error_of(api.post(PATH, json=fetch_body(health, **change))) == (status, code)
    assert runs(conn) == []


def test_an_institution_without_that_number_is_refused(api: Browser, conn: Connection) -> None:
    conn.execute("INSERT INTO institutions (name, vote_code) VALUES ('OFISI YA RAIS - IKULU', '033')")
    body = {"institutionId": 1, "identifierType": "tin", "tinNumber": "107933677"}
    assert error_of(api.post(PATH, json=body)) == (422, "no_identifier")


@pytest.mark.parametrize("body", ["", "hello", "{", "[]", "null", '"x"', "[" * 20_000, '{"a": \ud800}'])
def test_what_is_no_json_object_is_refused(api: Browser, conn: Connection, body: str) -> None:
    sent = body.encode("utf-8", "surrogatepass")
    answer = api.post(PATH, data=sent, content_type="application/json")
    assert error_of(answer) == (400, "not_json")
    assert runs(conn) == []


def test_ten_megabytes_are_refused(api: Browser, conn: Connection) -> None:
    answer = api.post(PATH, data=b"[" + b"1," * 5_000_000 + b"1]", content_type="application/json")
    assert error_of(answer) == (413, "too_large")
    assert runs(conn) == []


def test_without_a_session_it_is_refused(client: Browser, conn: Connection, health: int) -> None:
    assert error_of(client.post(PATH, json=fetch_body(health))) == (401, "not_signed_in")
    assert runs(conn) == []


def test_a_wrong_token_is_refused(client: Browser, conn: Connection, health: int) -> None:
    answer = client.post(PATH, json=fetch_body(health), headers={"Authorization": "Bearer hrims_wrong"})
    assert error_of(answer) == (401, "bad_token")
    assert runs(conn) == []
