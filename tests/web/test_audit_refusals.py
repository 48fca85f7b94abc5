"""Refused requests are in the audit trail, limited for each address and minute."""

import time
from typing import Any

import pytest

from hrims.access.names import ANONYMOUS
from hrims.access.throttle import PAIR
from hrims.audit import refusals as limits
from hrims.audit.refusals import PER_ADDRESS, WINDOW, RefusalLimiter
from hrims.db import Connection
from hrims.web.core import refusals
from tests.support.databases import execute_as_owner
from tests.web.browsers import ADDRESS, Browser

PEOPLE, QUEUE, RUNS = "/api/hrims/people/search", "/api/hrims/queue/pause", "/api/hrims/jobs"


@pytest.fixture(autouse=True)
def limiter(monkeypatch: pytest.MonkeyPatch) -> RefusalLimiter:
    """Provide a limiter of the test's own."""
    made = RefusalLimiter()
    monkeypatch.setattr(limits, "LIMITER", made)
    return made


def records(conn: Connection) -> list[Any]:
    """Return actor, via, address, route, code and status of each refusal."""
    return conn.execute(
        "SELECT actor, via, host(address), subject, reason, (details ->> 'status')::int FROM audit_log"
        " WHERE action = 'request.refused' ORDER BY id"
    ).fetchall()


def test_a_request_without_a_sign_in(client: Browser, conn: Connection) -> None:
    assert client.post(PEOPLE, json={"words": "asha"}).status_code == 401
    route = f"POST {PEOPLE}"
    assert records(conn) == [(ANONYMOUS, "api", ADDRESS, route, "not_signed_in", 401)]


def test_a_wrong_token(client: Browser, conn: Connection) -> None:
    client.post(PEOPLE, json={"words": "asha"}, headers={"Authorization": "Bearer wrong-secret-token"})
    [(actor, *_, code, status)] = records(conn)
    assert (actor, code, status) == (ANONYMOUS, "bad_token", 401)
    [(everything,)] = conn.execute("SELECT string_agg(l::text, '') FROM audit_log l").fetchall()
    assert "wrong-secret-token" not in everything


def test_a_user_without_the_permission(officer: Browser, conn: Connection) -> None:
    assert officer.post(QUEUE, json={"why": "x"}, headers={"X-CSRFToken": officer.csrf()}).status_code == 403
    [(actor, via, _, route, code, status)] = records(conn)
    assert (actor, via, route, code, status) == ("asha", "api", f"POST {QUEUE}", "not_allowed", 403)


def test_a_form_without_its_token(officer: Browser, conn: Connection) -> None:
    assert officer.post("/dashboard/admin/people", data={"words": "asha"}).status_code == 400
    [(actor, via, _, route, code, status)] = records(conn)
    assert (actor, via, route, code, status) == ("asha", "page", "POST /dashboard/admin/people", "csrf", 400)


def test_a_page_that_only_leads_to_the_sign_in_is_no_refusal(client: Browser, conn: Connection) -> None:
    assert client.get("/dashboard/admin/people").status_code == 303
    assert client.get("/dashboard/admin/nothing").status_code in {303, 404}
    assert records(conn) == []


def test_a_wrong_password_has_one_record(client: Browser, conn: Connection) -> None:
    client.press("/sign-in", name="asha", password="not the password")
    assert records(conn) == []
    found = conn.execute("SELECT count(*) FROM audit_log WHERE action = 'session.sign_in_failed'").fetchone()
    assert found == (1,)


def test_throttled_sign_ins_have_one_record_each_and_are_limited(client: Browser, conn: Connection) -> None:
    for _ in range(PER_ADDRESS + 25):
        status = client.press("/sign-in", name="asha", password="not the password").status_code
    assert status == 429
    refusals.record_left_out(conn, time.monotonic() + WINDOW)
    assert records(conn) == []
    found = conn.execute(
        "SELECT action, count(*), max((details ->> 'count')::int) FROM audit_log"
        " WHERE action <> 'session.sign_in_failed' GROUP BY 1 ORDER BY 1"
    ).fetchall()
    assert found == [("request.refused_more", 1, 25 - PAIR.free), ("session.throttled", PER_ADDRESS, None)]


@pytest.mark.parametrize("page", ["/sign-in/confirm", "/dashboard/account/password"])
def test_a_throttled_password_of_a_user_has_one_record(officer: Browser, conn: Connection, page: str) -> None:
    fields = {"secret": "wrong", "current": "wrong", "new": "a dry monsoon", "repeated": "a dry monsoon"}
    statuses = [officer.press(page, **fields).status_code for _ in range(PAIR.free + 1)]
    assert statuses[-1] == 429
    assert records(conn) == []
    found = conn.execute("SELECT actor FROM audit_log WHERE action = 'session.throttled'").fetchall()
    assert len(found) == 1


def test_what_a_stranger_sends_is_not_recorded(client: Browser, conn: Connection) -> None:
    client.get("/api/hrims/jobs/secret-words?name=secret-words", headers={"User-Agent": "secret-words"})
    [(text,)] = conn.execute("SELECT coalesce(string_agg(l::text, ''), '') FROM audit_log l").fetchall()
    assert "secret-words" not in text


def test_many_refusals_are_counted(client: Browser, conn: Connection) -> None:
    for _ in range(PER_ADDRESS + 5):
        client.post(PEOPLE, json={"words": "asha"})
    assert len(records(conn)) == PER_ADDRESS
    refusals.record_left_out(conn, time.monotonic() + WINDOW)
    more = conn.execute(
        "SELECT subject, details FROM audit_log WHERE action = 'request.refused_more'"
    ).fetchall()
    assert more == [(ADDRESS, {"count": 5, "codes": {"not_signed_in": 5}})]


def test_a_record_that_cannot_be_written_changes_no_answer(
    client: Browser, conn: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    execute_as_owner(conn, "ALTER TABLE audit_log ADD CONSTRAINT refused CHECK (action <> 'request.refused')")
    assert client.post(PEOPLE, json={"words": "asha"}).status_code == 401
    assert "refusal_not_recorded" in caplog.text
    assert "CheckViolation" in caplog.text
