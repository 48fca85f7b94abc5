"""What a run that is not complete offers next: to run again, or to check its number on the register."""

import pytest

from hrims.db import Connection
from tests.web.browsers import Browser
from tests.web.runs import end_run, enqueue_run_of, error_of

FETCH = "/dashboard/admin/fetch-data"
RUNS = "/dashboard/admin/runs"
API = "/api/hrims/jobs"
UNKNOWN = "HRIMS does not know this vote code, TIN or person (code 404)."


@pytest.fixture
def incomplete(conn: Connection, health: int) -> int:
    """Provide a run of pages of 50 that is incomplete."""
    return end_run(conn, enqueue_run_of(conn, health, page_size=50), outcome="incomplete")


def test_an_incomplete_run_has_its_button_wherever_it_is_shown(
    officer: Browser, health: int, incomplete: int
) -> None:
    for page in (f"{RUNS}/{incomplete}", f"{FETCH}?institution={health}", f"{FETCH}/runs/{incomplete}"):
        assert f'action="{FETCH}/runs/{incomplete}/afresh"' in officer.get(page).text, page
        assert "Start new run" in officer.get(page).text


def test_the_button_starts_a_run_of_the_same_institution_number_and_page_size(
    officer: Browser, conn: Connection, incomplete: int
) -> None:
    answer = officer.press(f"{FETCH}/runs/{incomplete}/afresh")
    assert (answer.status_code, answer.location) == (303, f"{RUNS}/{incomplete + 1}#run")
    same = "institution_id, identifier_type, identifier, page_size, kind"
    before, after = conn.execute(f"SELECT {same} FROM runs ORDER BY id".encode()).fetchall()
    assert before == after
    assert conn.execute("SELECT state, outcome FROM runs WHERE id = %s", (incomplete,)).fetchone() == (
        "completed", "incomplete"
    )  # fmt: skip
    assert conn.execute(
        "SELECT subject FROM audit_log WHERE action = 'run.ask' ORDER BY id DESC"
    ).fetchone() == (f"run:{incomplete + 1}",)
    again = officer.press(f"{FETCH}/runs/{incomplete}/afresh")
    assert again.status_code == 409
    assert "has another run under way" in again.text
    assert conn.execute("SELECT count(*) FROM runs").fetchone() == (2,)


def test_the_api_runs_it_again(api: Browser, incomplete: int) -> None:
    assert error_of(api.post(f"{API}/{incomplete}/retry")) == (409, "not_retryable")
    assert api.post(f"{API}/{incomplete}/retry", json={"afresh": True}).status_code == 202


def test_a_number_that_was_changed_on_the_register_is_said(
    officer: Browser, conn: Connection, incomplete: int
) -> None:
    conn.execute("UPDATE institutions SET vote_code = '002'")
    answer = officer.press(f"{FETCH}/runs/{incomplete}/afresh")
    assert answer.status_code == 422
    assert "This vote code is not that of WIZARA YA AFYA. Nothing was queued." in answer.text


@pytest.mark.parametrize("outcome", ["complete", "complete_after_repair"])
def test_a_complete_run_has_no_such_button(
    officer: Browser, api: Browser, conn: Connection, health: int, outcome: str
) -> None:
    run_id = end_run(conn, enqueue_run_of(conn, health), outcome=outcome)
    assert "Start new run" not in officer.get(f"{RUNS}/{run_id}").text
    assert error_of(api.post(f"{API}/{run_id}/retry", json={"afresh": True})) == (409, "not_retryable")


def test_an_auditor_has_no_such_button(auditor: Browser, incomplete: int) -> None:
    assert "Start new run" not in auditor.get(f"{RUNS}/{incomplete}").text
    assert auditor.press(f"{FETCH}/runs/{incomplete}/afresh").status_code == 403


@pytest.mark.parametrize("kind", ["sync", "preview"])
def test_a_number_that_hrims_does_not_know_leads_to_the_register(
    officer: Browser, api: Browser, conn: Connection, health: int, kind: str
) -> None:
    run_id = end_run(conn, enqueue_run_of(conn, health), "failed")
    conn.execute("UPDATE runs SET kind = %s, trouble = %s, trouble_code = 'remote_unknown'", (kind, UNKNOWN))
    page = officer.get(f"{RUNS}/{run_id}").text
    told = "HRIMS does not know the vote code 001 of WIZARA YA AFYA. Check the number on the register."
    assert told in page
    assert told in api.get(f"/api/hrims/job-status/{run_id}").get_json()["error"]["message"]
    there = f"/dashboard/admin/institutions/{health}#register"
    assert f'href="{there}"' in page
    register = officer.get(there).text
    assert 'id="register"' in register
    assert "<dd>001</dd>" in register
    assert "<dd>156255890</dd>" in register


def test_another_failure_does_not(officer: Browser, conn: Connection, health: int) -> None:
    run_id = end_run(conn, enqueue_run_of(conn, health), "failed")
    assert "on the register</a>" not in officer.get(f"{RUNS}/{run_id}").text
