"""Reveal: the masked fields of one person, once, for a reason that is recorded."""

from typing import Any

import psycopg
import pytest
from flask import Flask

from hrims.db import Connection
from hrims.people import actions
from tests.support.users import add_machine
from tests.web.browsers import Browser, new_browser, signed_in
from tests.web.lists import with_lists
from tests.web.marked import marked
from tests.web.runs import error_of

PAGE = "/dashboard/admin/people/1"
API = "/api/hrims/people/1/reveal"
REASON = "The employee asked us to check the phone number"
FIELDS = {
    *("zan_id", "zssf_number", "payroll_number", "date_of_birth", "place_of_birth", "region"),
    *("country_of_birth", "phone_number", "contact_address", "salary_scale", "retirement_date"),
}


@pytest.fixture(autouse=True)
def people(conn: Connection, dsn: str) -> None:
    """Provide one person with a value in every field, and one without most."""
    with_lists(conn, dsn, lambda lists: lists.run([marked(1), 2]))


def records(conn: Connection, *actions_: str) -> list[dict[str, Any]]:
    """Return the audit records of these actions."""
    rows = conn.execute(
        "SELECT to_jsonb(a) FROM audit_log a WHERE action = ANY(%s) ORDER BY id", (list(actions_),)
    )
    return [row for (row,) in rows]


def test_it_works(officer: Browser, conn: Connection) -> None:
    before = officer.get(PAGE)
    assert 'name="reason"' in before.text
    assert "0777700001" not in before.text
    answer = officer.press(PAGE, reason=REASON)
    assert answer.status_code == 200
    for value in ("580330001", "ZSSF7700001", "PAYROLL77001", "1977-07-01", "0777700001", "2037-07-01"):
        assert value in answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert 'name="reason"' not in answer.text
    assert "0777700001" not in officer.get(PAGE).text
    (kept,) = records(conn, "person.reveal")
    assert (kept["actor"], kept["subject"]) == ("asha", "employee:1")
    assert kept["reason"] == REASON
    assert set(kept["details"]["fields"]) == FIELDS
    assert not any(value in str(kept) for value in ("580330001", "0777700001", "PAYROLL77001"))


def test_an_auditor_reveals_the_name_too(auditor: Browser, conn: Connection) -> None:
    assert "<h1>Person 1</h1>" in auditor.get(PAGE).text
    assert "<h1>Asha Mtu 1 Makame</h1>" in auditor.press(PAGE, reason=REASON).text
    (kept,) = records(conn, "person.reveal")
    assert {"name", "gender", "cadre", "status"} | FIELDS <= set(kept["details"]["fields"])


def test_only_fields_with_a_value_are_recorded(officer: Browser, conn: Connection) -> None:
    assert officer.press("/dashboard/admin/people/2", reason=REASON).status_code == 200
    (kept,) = records(conn, "person.reveal")
    assert set(kept["details"]["fields"]) == {"zan_id", "payroll_number", "date_of_birth"}


@pytest.mark.parametrize("reason", ["", "   ", "too short", "x" * 301, "a reason\x1bwith a sign"])
def test_without_a_reason_nothing_is_shown(officer: Browser, conn: Connection, reason: str) -> None:
    answer = officer.press(PAGE, reason=reason)
    assert answer.status_code == 400
    assert "Give a reason of 10 to 300 characters, on one line. Nothing was shown." in answer.text
    assert "0777700001" not in answer.text
    assert records(conn, "person.reveal") == []


def test_a_user_who_sees_everything_has_no_button(administrator: Browser) -> None:
    page = administrator.get(PAGE).text
    assert "0777700001" in page
    assert 'name="reason"' not in page
    refused = administrator.press(PAGE, reason="short")
    assert "Give a reason of 10 to 300 characters, on one line. Nothing was shown." in refused.text


def test_a_viewer_cannot_reveal(app: Flask, conn: Connection) -> None:
    viewer = signed_in(new_browser(app), conn, "rashid", "viewer")
    page = viewer.get(PAGE).text
    assert 'name="reason"' not in page
    assert "0777700001" not in page
    refused = viewer.press(PAGE, reason=REASON)
    assert refused.status_code == 403
    assert "You cannot reveal personal data. Nothing was shown." in refused.text
    assert records(conn, "person.reveal") == []


def test_what_cannot_be_recorded_is_not_shown(
    officer: Browser, conn: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise psycopg.errors.ReadOnlySqlTransaction

    monkeypatch.setattr(actions, "record", refuse)
    answer = officer.press(PAGE, reason=REASON)
    assert answer.status_code == 503
    assert "0777700001" not in answer.text


def test_the_api(officer: Browser, conn: Connection) -> None:
    headers = {"X-CSRFToken": officer.csrf()}
    answer = officer.post(API, json={"reason": f"  {REASON} "}, headers=headers)
    body = answer.get_json()
    assert answer.headers["Cache-Control"] == "no-store"
    shown = {name: body[name] for name in ("id", "zanId", "dateOfBirth", "phoneNumber", "workplace")}
    assert shown == {
        "id": 1,
        "zanId": "580330001",
        "dateOfBirth": "1977-07-01",
        "phoneNumber": "0777700001",
        "workplace": "Wizara ya Afya",
    }
    (kept,) = records(conn, "person.reveal")
    assert (kept["via"], kept["reason"]) == ("api", REASON)
    for sent, status in (({"reason": "short"}, 400), ({}, 400), ({"reason": REASON, "x": 1}, 400)):
        assert officer.post(API, json=sent, headers=headers).status_code == status
    assert error_of(officer.post(API, json={"reason": 5}, headers=headers)) == (400, "bad_reason")
    for id_, error in (("4711", (404, "unknown_person")), ("x", (400, "bad_id"))):
        path = f"/api/hrims/people/{id_}/reveal"
        assert error_of(officer.post(path, json={"reason": REASON}, headers=headers)) == error


@pytest.mark.parametrize("scope", ["read", "sync", "manage"])
def test_a_token_cannot_reveal(app: Flask, conn: Connection, scope: str) -> None:
    machine = new_browser(app)
    token = add_machine(conn, f"of.{scope}", "administrator", scope=scope)
    machine.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    assert machine.post(API, json={"reason": REASON}).status_code == 403
    assert records(conn, "person.reveal") == []


def test_views_searches_and_exports_are_recorded(officer: Browser, api: Browser, conn: Connection) -> None:
    officer.get(PAGE)
    officer.get(officer.press("/dashboard/admin/people", words="580330001").location)
    officer.press("/dashboard/admin/people", words="")
    officer.get("/dashboard/admin/rejects/rejects.csv?state=all&code=bad_date").close()
    api.post("/api/hrims/people/search", json={"words": "0777700001"})
    kept = records(conn, "person.view", "people.search", "rejects.export")
    assert [(row["actor"], row["action"], row["subject"], row["details"]) for row in kept] == [
        ("asha", "person.view", "employee:1", {}),
        ("asha", "people.search", None, {"filters": ["words"]}),
        ("asha", "rejects.export", None, {"format": "csv", "filters": ["code", "state"], "rows": 0}),
        ("token:nightly", "people.search", None, {"filters": ["words"]}),
    ]
    assert not any(value in str(kept) for value in ("580330001", "0777700001"))


def test_a_number_is_matched_as_a_whole(officer: Browser) -> None:
    """A search completes no masked number: only the whole number finds the person."""
    for words in ("58033000", "5803300", "58•••••01", "PAYROLL7700", "AYROLL77001", "580330001 "):
        page = officer.get(officer.press("/dashboard/admin/people", words=words).location).text
        assert (">Asha Mtu 1 Makame</a>" in page) == (words == "580330001 "), words
