"""POST /api/hrims/institutions/<id>/ask-again, and the button of the screen."""

from typing import Any

import pytest

from hrims.db import Connection
from tests.web.browsers import Browser
from tests.web.cases import add_case, met_by
from tests.web.runs import end_run, enqueue_run_of, error_of, institution

BUTTON = "/dashboard/admin/rejects/ask-again"


@pytest.fixture
def at(conn: Connection) -> int:
    """Provide an institution with three open rejects in its vote code's listing, and one closed by TIN."""
    made = institution(conn)
    run = met_by(conn, made)
    for place in (1, 2, 57):
        add_case(conn, run, place, "remote_breaks" if place == 57 else "bad_date")
    add_case(conn, run, 3, closed=True, listing="tin")
    return made


def wish(api: Browser, at: Any, **body: Any) -> Any:
    return api.post(f"/api/hrims/institutions/{at}/ask-again", json=body or {"identifierType": "votecode"})


def test_it_works(api: Browser, conn: Connection, at: int) -> None:
    answer = wish(api, at)
    body = answer.get_json()
    run = int(body["jobId"])
    assert (answer.status_code, body["success"]) == (202, True)
    assert body["statusUrl"] == f"/api/hrims/sync-status/{run}"
    kind = conn.execute("SELECT kind, identifier, page_size FROM runs WHERE id = %s", (run,)).fetchone()
    assert kind == ("rejected", "001", 10)
    cases = conn.execute("SELECT place, alone, became FROM run_cases ORDER BY place").fetchall()
    assert cases == [(1, False, None), (2, False, None), (57, True, None)]
    total = conn.execute("SELECT remote_total FROM run_progress WHERE run_id = %s", (run,)).fetchone()
    assert total == (6408,)
    audit = conn.execute(
        "SELECT actor, action, subject, details ->> 'kind' FROM audit_log ORDER BY id DESC LIMIT 1"
    ).fetchone()
    assert audit == ("token:nightly", "run.ask", f"run:{run}", "rejected")
    status = api.get(f"/api/hrims/job-status/{run}").get_json()
    assert status["progress"]["estimatedPages"] is None
    assert status["progress"]["progressPercent"] == 0


def test_asking_twice_gives_the_first_ones_run(api: Browser, conn: Connection, at: int) -> None:
    first = wish(api, at).get_json()["jobId"]
    again = wish(api, at)
    assert (again.status_code, again.get_json()["jobId"]) == (200, first)
    assert again.get_json()["deduplicated"] is True
    assert conn.execute("SELECT count(*) FROM run_cases").fetchone() == (3,)


def test_refusals(api: Browser, client: Browser, officer: Browser, conn: Connection, at: int) -> None:
    assert error_of(wish(api, 4711)) == (404, "unknown_institution")
    assert error_of(wish(api, "abc")) == (400, "bad_institution_id")
    assert error_of(wish(api, at, identifierType="name")) == (400, "bad_identifier_type")
    assert error_of(wish(api, at, identifierType=None)) == (400, "bad_identifier_type")
    assert error_of(wish(api, at, identifierType="tin", x=1)) == (400, "unknown_field")
    assert error_of(wish(api, at, identifierType=["tin"])) == (400, "bad_identifier_type")
    assert error_of(wish(api, at, identifierType="tin")) == (409, "no_open_rejects")
    assert error_of(api.post(f"/api/hrims/institutions/{at}/ask-again", data="{")) == (400, "not_json")
    assert error_of(wish(client, at)) == (401, "not_signed_in")
    assert error_of(wish(officer, at)) == (400, "csrf")
    assert conn.execute("SELECT count(*) FROM runs WHERE kind = 'rejected'").fetchone() == (0,)
    assert conn.execute("SELECT count(*) FROM run_cases").fetchone() == (0,)


def test_beside_another_run_nothing_is_queued(api: Browser, conn: Connection, at: int) -> None:
    run = enqueue_run_of(conn, at)
    assert error_of(wish(api, at)) == (409, "under_way")
    assert conn.execute("SELECT count(*) FROM run_cases").fetchone() == (0,)
    end_run(conn, run)
    assert wish(api, at).status_code == 202


def test_whose_identifier_is_gone_from_the_register(api: Browser, conn: Connection, at: int) -> None:
    conn.execute("UPDATE institutions SET vote_code = NULL")
    assert error_of(wish(api, at)) == (422, "no_identifier")


def test_an_auditor_may_look_and_not_ask(auditor: Browser, conn: Connection, at: int) -> None:
    page = auditor.get(f"/dashboard/admin/rejects?institution={at}")
    assert page.status_code == 200
    assert "Fetch 3 rejected" not in page.get_data(as_text=True)
    assert auditor.press(BUTTON, institution=str(at), identifier_type="votecode").status_code == 403
    assert conn.execute("SELECT count(*) FROM run_cases").fetchone() == (0,)


def test_the_button(officer: Browser, conn: Connection, at: int) -> None:
    shown = officer.get(f"/dashboard/admin/rejects?institution={at}").get_data(as_text=True)
    assert "Fetch 3 rejected records again by vote code" in shown
    assert "again by TIN" not in shown
    answer = officer.press(BUTTON, institution=str(at), identifier_type="votecode")
    assert (answer.status_code, answer.location) == (303, f"/dashboard/admin/fetch-data?institution={at}#run")
    card = officer.get(answer.location).get_data(as_text=True)
    assert "Run 2" in card
    again = officer.press(BUTTON, institution=str(at), identifier_type="votecode")
    assert again.location == f"/dashboard/admin/fetch-data?institution={at}&already=1#run"


@pytest.mark.parametrize(
    ("form", "status", "words"),
    [
        ({"institution": "", "identifier_type": "votecode"}, 400, "Choose an institution first"),
        ({"institution": "4711", "identifier_type": "votecode"}, 404, "no institution with this id"),
        ({"institution": "1", "identifier_type": "tin"}, 409, "no open rejects"),
        ({"institution": "1"}, 400, "identifierType must be"),
        ({"institution": "x" * 30, "identifier_type": "votecode"}, 400, "Choose an institution first"),
    ],
)
def test_a_wish_that_cannot_be_granted_is_said_on_the_page(
    officer: Browser, conn: Connection, at: int, form: dict[str, str], status: int, words: str
) -> None:
    answer = officer.press(BUTTON, **form)
    assert answer.status_code == status
    assert words in answer.get_data(as_text=True)
    assert conn.execute("SELECT count(*) FROM run_cases").fetchone() == (0,)


def test_the_button_needs_the_form_token(officer: Browser, at: int) -> None:
    form = {"institution": str(at), "identifier_type": "votecode"}
    assert officer.post(BUTTON, data=form).status_code == 400
