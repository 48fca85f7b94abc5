"""The page and the API of leavers."""

import pytest
from flask import Flask

from hrims.access import tokens
from hrims.db import Connection
from tests.support.users import actor_of
from tests.web.browsers import Browser, new_browser, signed_in
from tests.web.lists import leave, leavers
from tests.web.runs import error_of

APPROVALS = "/dashboard/admin/approvals"

PAGE, API = "/dashboard/admin/leavers", "/api/hrims/leavers"

SIX = list(range(1, 7))


@pytest.fixture
def waiting(conn: Connection, dsn: str) -> int:
    """Six people who wait for approval, after a run for which asha asked."""
    leave(conn, dsn, SIX)
    return 1


@pytest.fixture
def second(app: Flask, conn: Connection) -> Browser:
    """Provide a browser in which the supervisor ``juma`` is signed in."""
    return signed_in(new_browser(app), conn, "juma", "supervisor")


def test_it_works(second: Browser, administrator: Browser, conn: Connection, waiting: int) -> None:
    page = second.get(PAGE).text
    assert "WIZARA YA AFYA" in page
    assert "6 people would leave, 16.7 % of the list, which is more than 5 %." in page
    assert "requested by asha" in page
    assert "Asha Mtu 1 Makame" in page
    assert "all 6 people" in page
    answer = second.press(f"{PAGE}/{waiting}/approve")
    assert (answer.status_code, answer.location) == (303, PAGE)
    assert leavers(conn) == SIX
    page = second.get(PAGE).text
    assert "No leavers wait for approval." in page
    assert "approved by juma" in page
    assert "6 left, 0 transferred." in page
    assert second.press(f"{PAGE}/{waiting}/undo").location == APPROVALS
    assert leavers(conn) == SIX
    assert administrator.press(f"{APPROVALS}/1/approve").status_code == 303
    assert leavers(conn) == []
    assert "undone by binti" in second.get(PAGE).text
    rows = conn.execute("SELECT actor, via, action FROM audit_log ORDER BY id DESC LIMIT 2").fetchall()
    assert rows == [("binti", "page", "approval.approve"), ("binti", "page", "leavers.undo")]


def test_the_user_who_requested_the_run_cannot_approve(app: Flask, conn: Connection, waiting: int) -> None:
    asha = signed_in(new_browser(app), conn, "asha", "supervisor")
    page = asha.get(PAGE).text
    assert "another user must approve" in page
    assert f"{PAGE}/{waiting}/approve" not in page
    answer = asha.press(f"{PAGE}/{waiting}/approve")
    assert answer.status_code == 403
    assert "You requested the run" in answer.text
    assert leavers(conn) == []
    assert asha.press(f"{PAGE}/{waiting}/refuse").status_code == 303
    assert "6 people stayed." in asha.get(PAGE).text


def test_all_people_of_a_departure(second: Browser, conn: Connection, dsn: str) -> None:
    leave(conn, dsn, range(1, 103), range(200, 210))
    first = second.get(f"{PAGE}/1").text
    assert first.count("<tr>") == 101
    assert "Approve" in first
    further = second.get(f"{PAGE}/1?page=2").text
    assert further.count("<tr>") == 3
    for odd in ("0", "-1", "x", "9" * 30, "²"):
        assert second.get(f"{PAGE}/1?page={odd}").status_code == 400


def test_an_auditor_looks_and_decides_nothing(auditor: Browser, conn: Connection, waiting: int) -> None:
    page = auditor.get(PAGE).text
    assert "WIZARA YA AFYA" in page
    assert "Approve" not in page
    for deed in ("approve", "refuse", "undo"):
        assert auditor.press(f"{PAGE}/{waiting}/{deed}").status_code == 403
    assert leavers(conn) == []


@pytest.mark.parametrize("deed", ["approve", "refuse", "undo"])
def test_the_page_refuses(second: Browser, waiting: int, deed: str) -> None:
    assert second.press(f"{PAGE}/4711/{deed}").status_code == 404
    assert second.press(f"{PAGE}/x/{deed}").status_code == 400
    assert second.post(f"{PAGE}/{waiting}/{deed}").status_code == 400
    assert second.get(f"{PAGE}/4711").status_code == 404
    second.press(f"{PAGE}/{waiting}/refuse")
    answer = second.press(f"{PAGE}/{waiting}/{deed}")
    assert answer.status_code == 409
    assert "was refused already" in answer.text


# The API


def test_the_api_works(api: Browser, conn: Connection, waiting: int, administrator: Browser) -> None:
    answer = api.get(API).get_json()
    assert (answer["success"], answer["recent"]) == (True, [])
    (one,) = answer["waiting"]
    assert (one["id"], one["institutionName"], one["state"]) == (1, "WIZARA YA AFYA", "waiting")
    assert (one["count"], one["missing"], one["listed"], one["sharePercent"]) == (6, 6, 36, 16.7)
    assert (one["jobId"], one["requestedBy"]) == ("3", "asha")
    assert one["people"][0] == {"zanId": "580330001", "name": "Asha Mtu 1 Makame"}
    done = api.post(f"{API}/1/approve").get_json()
    assert (done["success"], done["state"], done["leavers"], done["decidedBy"]) == (
        True,
        "approved",
        6,
        "token:nightly",
    )
    assert leavers(conn) == SIX
    assert (
        api.get("/api/hrims/job-status/3").get_json()["result"] | {"leavers": 6, "leaversWaiting": 0}
        == (api.get("/api/hrims/job-status/3").get_json()["result"])
    )
    answer = api.post(f"{API}/1/undo")
    assert (answer.status_code, answer.get_json()["state"]) == (202, "approved")
    assert administrator.press(f"{APPROVALS}/{answer.get_json()['approvalId']}/approve").status_code == 303
    (one,) = api.get(API).get_json()["recent"]
    assert one["state"] == "undone"


def test_the_api_refuses(api: Browser, client: Browser, officer: Browser, waiting: int) -> None:
    for deed in ("approve", "refuse", "undo"):
        assert error_of(api.post(f"{API}/x/{deed}")) == (400, "bad_leavers_id")
        assert error_of(api.post(f"{API}/4711/{deed}")) == (404, "unknown_leavers")
        assert error_of(client.post(f"{API}/1/{deed}")) == (401, "not_signed_in")
        assert error_of(officer.post(f"{API}/1/{deed}")) == (400, "csrf")
    assert error_of(api.post(f"{API}/1/undo")) == (409, "waiting")
    api.post(f"{API}/1/refuse")
    assert error_of(api.post(f"{API}/1/approve")) == (409, "refused")


def test_a_token_does_not_approve_what_its_user_asked_for(app: Flask, conn: Connection, waiting: int) -> None:
    token = tokens.add_token(conn, actor_of(conn, "asha", "supervisor"), "other", "manage")
    machine = new_browser(app)
    machine.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    assert error_of(machine.post(f"{API}/{waiting}/approve")) == (403, "second_person")


def test_the_card_of_the_run_says_that_leavers_wait(officer: Browser, waiting: int) -> None:
    card = officer.get("/dashboard/admin/fetch-data/runs/3").text
    assert "6 people are no longer listed and would become leavers" in card
    assert PAGE in card
