"""The shapes of the contract: every operation, every refusal, over real HTTP."""

import base64
from typing import Any

import pytest

from tests.simulator.requests import ask, ids, question
from tests.support.simulated import Simulator

TIN_OF_001 = "156255890"


def test_a_page_by_vote_code(country: Simulator) -> None:
    body = ask(country, key="037", size=100).json()
    assert body["code"] == 200
    assert (body["currentDataSize"], body["overallDataSize"]) == (100, 6408)
    assert set(body["data"][0]) >= {"personalInfo", "employmentHistories", "contractDetails"}


def test_a_page_by_tin_is_the_same_as_by_vote_code(country: Simulator) -> None:
    by_vote, by_tin = ask(country, "204", key="001"), ask(country, "205", key=TIN_OF_001)
    assert by_vote.json()["data"] == by_tin.json()["data"]
    assert by_tin.json()["overallDataSize"] == 2500


def test_the_last_page_is_short_and_later_pages_are_empty(country: Simulator) -> None:
    last, beyond = ask(country, key="037", page=64, size=100), ask(country, key="037", page=65)
    assert len(last.json()["data"]) == 8
    far = ask(country, key="037", page=9999, size=100).json()
    assert (far["data"], far["overallDataSize"], far["code"]) == ([], 6408, 200)
    assert len(beyond.json()["data"]) == 10


def test_everybody(country: Simulator) -> None:
    body = ask(country, "201", key="", size=100, page=1).json()
    assert 42_000 < body["overallDataSize"] < 44_000
    assert len(body["data"]) == 100


def test_one_employee_by_payroll_number_and_by_zan_id(country: Simulator) -> None:
    person = country.people(vote="007")[3]
    for name in ("zan_id", "payroll_number"):
        body = {"RequestId": "202", "RequestPayloadData": {"RequestBody": person[name]}}
        found = ask(country, body=body).json()
        assert found["code"] == 200
        assert found["data"]["personalInfo"]["zanIdNumber"].strip() == person["zan_id"]


def test_photos_come_in_five_shapes(country: Simulator) -> None:
    shapes = {_shape(country, person["payroll_number"]) for person in country.people(vote="007")[:12]}
    assert shapes == {"data", "data.Picture", "photo.content", "data.photo.content", "Picture"}


def _shape(country: Simulator, payroll: str) -> str:
    body = ask(country, body={"RequestId": "203", "SearchCriteria": payroll}).json()
    assert body.pop("code") == 200
    path = []
    while isinstance(body, dict):
        name = next(field for field in ("data", "photo", "Picture", "content") if field in body)
        path.append(name)
        body = body[name]
    picture = base64.b64decode(body.removeprefix("data:image/png;base64,"), validate=True)
    assert picture.startswith(b"\x89PNG")
    return ".".join(path)


def test_documents_by_type_and_one_is_misspelt(country: Simulator) -> None:
    payroll = country.people(vote="007")[0]["payroll_number"]
    types = []
    for code in ("2", "3", "4", "8", "23"):
        payload = {"RequestBody": code}
        body = {"RequestId": "206", "SearchCriteria": payroll, "RequestPayloadData": payload}
        (document,) = ask(country, body=body).json()["data"]
        assert base64.b64decode(document["attachmentContent"]).startswith(b"%PDF-")
        types.append(document["attachmentType"])
    assert types[-1] == "Comfirmationletter"


@pytest.mark.parametrize(
    ("operation", "key"),
    [("204", "999"), ("205", "999999999"), ("204", TIN_OF_001), ("205", "001"), ("205", "33")],
)
def test_an_unknown_vote_code_or_tin_is_a_404_in_the_body(
    country: Simulator, operation: str, key: str
) -> None:
    answer = ask(country, operation, key=key)
    assert (answer.status_code, answer.json()["code"]) == (200, 404)


@pytest.mark.parametrize(
    "body",
    [
        {"RequestId": "999"},
        {"RequestId": 204},
        {"RequestId": "204"},
        {"RequestId": "204", "RequestPayloadData": {"PageNumber": 0, "PageSize": 10}},
        question(page=-1),
        question(size=0),
        question(size=1001),
        question() | {"RequestPayloadData": {"PageNumber": "0", "PageSize": 10}},
        {"RequestId": "202", "RequestPayloadData": {}},
        {"RequestId": "203"},
        [],
    ],
)
def test_a_bad_request_is_a_400_in_the_body(country: Simulator, body: Any) -> None:
    answer = ask(country, body=body or ["not an object"])
    assert (answer.status_code, answer.json()["code"]) == (200, 400)
    assert answer.json()["status"] == "Failure"


def test_an_unknown_employee_is_a_404_in_the_body(country: Simulator) -> None:
    body = {"RequestId": "202", "RequestPayloadData": {"RequestBody": "000"}}
    assert ask(country, body=body).json()["code"] == 404


def test_credentials_are_insisted_on_where_they_were_given() -> None:
    with Simulator(sizes={"001": 10}, api_key="key", token="secret") as guarded:
        right = {"ApiKey": "key", "Token": "secret"}
        assert ask(guarded, headers=right).json()["code"] == 200
        for wrong in ({}, {"ApiKey": "key"}, right | {"Token": "old"}):
            assert ask(guarded, headers=wrong).status_code == 401


def test_some_answers_leave_out_what_may_be_left_out(country: Simulator) -> None:
    bodies = [ask(country, key="039", page=page).json() for page in range(30)]
    left_out = [body for body in bodies if "currentPage" not in body]
    assert 0 < len(left_out) < 15
    assert all("status" not in body and "message" not in body for body in left_out)
    assert all(body["currentPage"] == n for n, body in enumerate(bodies) if "currentPage" in body)


def test_pages_join_without_gap_or_overlap(country: Simulator) -> None:
    joined = [zan_id for page in range(14) for zan_id in ids(ask(country, key="010", page=page, size=30))]
    assert joined == [person["zan_id"] or "" for person in country.people(vote="010")]
