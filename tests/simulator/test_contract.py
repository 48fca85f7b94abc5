"""The shapes of the contract: every operation, every refusal, over real HTTP."""

import base64
from typing import Any

import pytest

from tests.simulator.requests import ids, request_body, send
from tests.support.simulated import Simulator

TIN_OF_001 = "156255890"


def test_a_page_by_vote_code(full: Simulator) -> None:
    body = send(full, key="037", size=100).json()
    assert body["code"] == 200
    assert (body["currentDataSize"], body["overallDataSize"]) == (100, 6408)
    assert set(body["data"][0]) >= {"personalInfo", "employmentHistories", "contractDetails"}


def test_a_page_by_tin_is_the_same_as_by_vote_code(full: Simulator) -> None:
    by_vote, by_tin = send(full, "204", key="001"), send(full, "205", key=TIN_OF_001)
    assert by_vote.json()["data"] == by_tin.json()["data"]
    assert by_tin.json()["overallDataSize"] == 2500


def test_the_last_page_is_short_and_later_pages_are_empty(full: Simulator) -> None:
    last, beyond = send(full, key="037", page=64, size=100), send(full, key="037", page=65)
    assert len(last.json()["data"]) == 8
    far = send(full, key="037", page=9999, size=100).json()
    assert (far["data"], far["overallDataSize"], far["code"]) == ([], 6408, 200)
    assert len(beyond.json()["data"]) == 10


def test_everybody(full: Simulator) -> None:
    body = send(full, "201", key="", size=100, page=1).json()
    assert 42_000 < body["overallDataSize"] < 44_000
    assert len(body["data"]) == 100


def test_one_employee_by_payroll_number_and_by_zan_id(full: Simulator) -> None:
    person = full.people(vote="007")[3]
    for name in ("zan_id", "payroll_number"):
        body = {"RequestId": "202", "RequestPayloadData": {"RequestBody": person[name]}}
        found = send(full, body=body).json()
        assert found["code"] == 200
        assert found["data"]["personalInfo"]["zanIdNumber"].strip() == person["zan_id"]


def test_photos_come_in_five_shapes(full: Simulator) -> None:
    shapes = {_shape(full, person["payroll_number"]) for person in full.people(vote="007")[:12]}
    assert shapes == {"data", "data.Picture", "photo.content", "data.photo.content", "Picture"}


def _shape(full: Simulator, payroll: str) -> str:
    body = send(full, body={"RequestId": "203", "SearchCriteria": payroll}).json()
    assert body.pop("code") == 200
    path = []
    while isinstance(body, dict):
        name = next(field for field in ("data", "photo", "Picture", "content") if field in body)
        path.append(name)
        body = body[name]
    picture = base64.b64decode(body.removeprefix("data:image/png;base64,"), validate=True)
    assert picture.startswith(b"\x89PNG")
    return ".".join(path)


def test_documents_by_type_and_one_is_misspelt(full: Simulator) -> None:
    payroll = full.people(vote="007")[0]["payroll_number"]
    types = []
    for code in ("2", "3", "4", "8", "23"):
        payload = {"RequestBody": code}
        body = {"RequestId": "206", "SearchCriteria": payroll, "RequestPayloadData": payload}
        (document,) = send(full, body=body).json()["data"]
        assert base64.b64decode(document["attachmentContent"]).startswith(b"%PDF-")
        types.append(document["attachmentType"])
    assert types[-1] == "Comfirmationletter"


@pytest.mark.parametrize(
    ("operation", "key"),
    [("204", "999"), ("205", "999999999"), ("204", TIN_OF_001), ("205", "001"), ("205", "33")],
)
def test_an_unknown_vote_code_or_tin_is_a_404_in_the_body(full: Simulator, operation: str, key: str) -> None:
    answer = send(full, operation, key=key)
    assert (answer.status_code, answer.json()["code"]) == (200, 404)


@pytest.mark.parametrize(
    "body",
    [
        {"RequestId": "999"},
        {"RequestId": 204},
        {"RequestId": "204"},
        {"RequestId": "204", "RequestPayloadData": {"PageNumber": 0, "PageSize": 10}},
        request_body(page=-1),
        request_body(size=0),
        request_body(size=1001),
        request_body() | {"RequestPayloadData": {"PageNumber": "0", "PageSize": 10}},
        {"RequestId": "202", "RequestPayloadData": {}},
        {"RequestId": "203"},
        [],
    ],
)
def test_a_bad_request_is_a_400_in_the_body(full: Simulator, body: Any) -> None:
    answer = send(full, body=body or ["not an object"])
    assert (answer.status_code, answer.json()["code"]) == (200, 400)
    assert answer.json()["status"] == "Failure"


def test_an_unknown_employee_is_a_404_in_the_body(full: Simulator) -> None:
    body = {"RequestId": "202", "RequestPayloadData": {"RequestBody": "000"}}
    assert send(full, body=body).json()["code"] == 404


def test_credentials_are_insisted_on_where_they_were_given() -> None:
    with Simulator(sizes={"001": 10}, api_key="key", token="secret") as guarded:
        right = {"ApiKey": "key", "Token": "secret"}
        assert send(guarded, headers=right).json()["code"] == 200
        for wrong in ({}, {"ApiKey": "key"}, right | {"Token": "old"}):
            assert send(guarded, headers=wrong).status_code == 401


def test_some_answers_leave_out_what_may_be_left_out(full: Simulator) -> None:
    bodies = [send(full, key="039", page=page).json() for page in range(30)]
    left_out = [body for body in bodies if "currentPage" not in body]
    assert 0 < len(left_out) < 15
    assert all("status" not in body and "message" not in body for body in left_out)
    assert all(body["currentPage"] == n for n, body in enumerate(bodies) if "currentPage" in body)


def test_pages_join_without_gap_or_overlap(full: Simulator) -> None:
    joined = [zan_id for page in range(14) for zan_id in ids(send(full, key="010", page=page, size=30))]
    assert joined == [person["zan_id"] or "" for person in full.people(vote="010")]
