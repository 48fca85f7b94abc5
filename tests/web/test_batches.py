"""Batches on the page and for machines."""

from typing import Any

import pytest

from hrims.db import Connection
from tests.web.browsers import Browser
from tests.web.runs import end_run, error_of, institution

PAGE = "/dashboard/admin/batches"
API = "/api/hrims/batches"


@pytest.fixture
def register(conn: Connection) -> list[int]:
    """Three institutions; the last has no number."""
    first = [institution(conn), institution(conn, "TUME", "037", "129673100")]
    row = conn.execute("INSERT INTO institutions (name) VALUES ('WAKALA') RETURNING id").fetchone()
    assert row
    return [*first, row[0]]


def test_the_api_asks_for_all_and_names_who_was_skipped(api: Browser, register: list[int]) -> None:
    answer = api.post(API, json={"institutions": "all", "priority": "low"})
    assert answer.status_code == 202
    body = answer.get_json()
    assert body["statusUrl"] == f"{API}/1"
    assert (body["counts"]["waiting"], body["counts"]["skipped"]) == (2, 1)
    assert [one["state"] for one in body["members"]] == ["waiting", "skipped", "waiting"]
    assert body["members"][1]["why"].startswith("Skipped: the register has neither")
    assert body["members"][1]["jobId"] is None
    assert api.get(API).get_json()["batches"][0]["batchId"] == "1"
    [skipped] = api.get(f"{API}/1?kind=skipped").get_json()["members"]
    assert skipped["institutionName"] == "WAKALA"


@pytest.mark.parametrize(
    ("wish", "answer"),
    [
        ({}, (400, "bad_institutions")),
        ({"institutions": "some"}, (400, "bad_institutions")),
        ({"institutions": "selection"}, (400, "bad_institutions")),
        ({"institutions": []}, (400, "bad_institutions")),
        ({"institutions": [1, "2"]}, (400, "bad_institutions")),
        ({"institutions": [True]}, (400, "bad_institutions")),
        ({"institutions": [0]}, (400, "bad_institutions")),
        ({"institutions": [2**63]}, (400, "bad_institutions")),
        ({"institutions": None}, (400, "bad_institutions")),
        ({"institutions": [99]}, (404, "unknown_institution")),
        ({"institutions": "failed"}, (422, "none_selected")),
        ({"institutions": "all", "identifierType": "payroll"}, (400, "bad_identifier_type")),
        ({"institutions": "all", "pageSize": 0}, (400, "bad_page_size")),
        ({"institutions": "all", "priority": "now"}, (400, "bad_priority")),
        ({"institutions": "all", "preview": True}, (400, "unknown_field")),
    ],
)
def test_a_wrong_wish_asks_for_nothing(
    api: Browser, conn: Connection, register: list[int], wish: dict[str, Any], answer: tuple[int, str]
) -> None:
    assert error_of(api.post(API, json=wish)) == answer
    assert conn.execute("SELECT (SELECT count(*) FROM runs) + count(*) FROM batches").fetchone() == (0,)


def test_an_unknown_batch_is_not_found(api: Browser, officer: Browser) -> None:
    for path in ("99", "0", "x"):
        assert error_of(api.get(f"{API}/{path}")) == (404, "unknown_batch")
        assert officer.get(f"{PAGE}/{path}").status_code == 404
        assert officer.press(f"{PAGE}/{path}/cancel").status_code == 404


def test_the_page_asks_for_a_selection_and_leads_to_it(
    officer: Browser, conn: Connection, register: list[int]
) -> None:
    answer = officer.post(
        PAGE, data={"csrf_token": officer.csrf(), "wish": "selection", "institution": ["1", "3"]}
    )
    assert (answer.status_code, answer.location) == (303, f"{PAGE}/1")
    page = officer.get(answer.location).text
    for words in (
        "Selected institutions",
        "WIZARA YA AFYA",
        "WAKALA",
        "the register has neither",
        "Cancel batch",
    ):
        assert words in page
    assert "TUME" not in page
    assert "every 3s" in page
    assert "0 of 1 run ended; 0 people saved." in officer.get(PAGE).text


def test_an_empty_selection_is_refused_and_the_form_keeps_its_values(
    officer: Browser, register: list[int]
) -> None:
    answer = officer.press(PAGE, wish="selection", priority="low")
    assert answer.status_code == 400
    assert "Select 1 to 10,000 institutions" in answer.text
    assert 'value="low" selected' in answer.text


def test_ticks_without_their_choice_are_asked_about(
    officer: Browser, conn: Connection, register: list[int]
) -> None:
    answer = officer.press(PAGE, wish="all", institution="1")
    assert answer.status_code == 400
    assert "1 checked, but “Selected institutions” is not selected" in answer.text
    assert conn.execute("SELECT count(*) FROM batches").fetchone() == (0,)


def test_failed_ones_are_tried_again_and_all_cancelled(
    officer: Browser, api: Browser, conn: Connection, register: list[int]
) -> None:
    api.post(API, json={"institutions": "all"})
    [(first,), (second,)] = conn.execute("SELECT id FROM runs ORDER BY id").fetchall()
    end_run(conn, first, "failed", None)
    page = officer.get(f"{PAGE}/1?kind=failed").text
    assert "HRIMS timed out." in page
    assert "Retry failed runs" in page
    assert officer.press(f"{PAGE}/1/retry").status_code == 303
    refused = officer.press(f"{PAGE}/1/retry")
    assert (refused.status_code, "No run of this batch failed" in refused.text) == (409, True)
    assert api.post(f"{API}/1/cancel").status_code == 200
    states = conn.execute("SELECT DISTINCT state FROM runs WHERE id IN (%s, %s)", (first, second)).fetchall()
    assert states == [("cancelled",)]
    assert officer.get(f"{PAGE}/1/standing").status_code == 286
    assert error_of(api.post(f"{API}/1/cancel")) == (409, "ended")
    assert "Done: 2 cancelled." in officer.get(PAGE).text


def test_an_auditor_looks_and_asks_for_nothing(auditor: Browser, register: list[int], api: Browser) -> None:
    api.post(API, json={"institutions": "all"})
    assert "Start batch" not in auditor.get(PAGE).text
    page = auditor.get(f"{PAGE}/1").text
    assert "Cancel batch" not in page
    assert auditor.press(f"{PAGE}/1/cancel").status_code == 403
