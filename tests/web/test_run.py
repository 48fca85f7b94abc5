"""The page of one run and what the API tells of its attempts; a failed run that is started afresh."""

from typing import Any

import pytest

from hrims.db import Connection
from tests.web.browsers import Browser
from tests.web.runs import end_run, enqueue_run_of, error_of, fetch_body

PAGE = "/dashboard/admin/runs"
API = "/api/hrims/jobs"


@pytest.fixture
def failed(conn: Connection, health: int) -> int:
    """Provide a run of which two attempts failed."""
    run_id = end_run(conn, enqueue_run_of(conn, health), "failed", None)
    for number, log in ((1, ["page 3 of 100 failed"]), (2, ["page 4 of 100 failed"])):
        conn.execute(
            """
            INSERT INTO run_attempts (run_id, number, host, pid, ended_at, ended_as, trouble, trouble_code,
                                      traceback, log, log_left_out)
            VALUES (%s, %s, 'pemba', 4711, now(), 'failed', 'HRIMS timed out.', 'remote_timeout',
                    'File "readings.py"', %s, 3)
            """,
            (run_id, number, log),
        )
    return run_id


def test_everybody_reads_how_each_attempt_ended(officer: Browser, health: int, failed: int) -> None:
    page = officer.get(f"{PAGE}/{failed}").text
    for words in ("HRIMS timed out.", "pemba, process 4711", "failed"):
        assert words in page
    assert f'href="{PAGE}?institution={health}">All runs of this institution' in page
    assert "page 4 of 100 failed" not in page
    assert "readings.py" not in page


def test_administrators_read_what_each_logged(administrator: Browser, failed: int) -> None:
    page = administrator.get(f"{PAGE}/{failed}").text
    assert page.index("page 4 of 100 failed") < page.index("page 3 of 100 failed")
    assert "3 earlier lines were dropped" in page
    assert "File &#34;readings.py&#34;" in page


def test_the_fragment_stops_polling_when_the_run_has_ended(
    officer: Browser, conn: Connection, health: int, failed: int
) -> None:
    under_way = enqueue_run_of(conn, health)
    assert officer.get(f"{PAGE}/{failed}/attempts").status_code == 286
    answer = officer.get(f"{PAGE}/{under_way}/attempts")
    assert (answer.status_code, "every 3s" in answer.text) == (200, True)
    assert "No attempts yet" in answer.text


def test_the_api_tells_of_attempts(
    api: Browser, officer: Browser, administrator: Browser, failed: int
) -> None:
    [latest, first] = administrator.get(f"{API}/{failed}/attempts").get_json()["attempts"]
    assert (latest["number"], first["number"]) == (2, 1)
    assert latest["log"] == ["page 4 of 100 failed"]
    assert latest["logLeftOut"] == 3
    assert latest["message"] == "HRIMS timed out."
    assert "log" not in officer.get(f"{API}/{failed}/attempts").get_json()["attempts"][0]
    assert error_of(api.get(f"{API}/999/attempts")) == (404, "unknown_job")


def test_afresh_is_a_new_run_with_the_same_wish(
    api: Browser, conn: Connection, health: int, failed: int
) -> None:
    conn.execute("UPDATE runs SET attempts = 9, attempt_pause = 1, deadline_minutes = 60, page_size = 50")
    answer = api.post(f"{API}/{failed}/retry", json={"afresh": True})
    assert answer.status_code == 202
    made = int(answer.get_json()["jobId"])
    assert made != failed
    said = "state, page_size, attempts, attempt_pause, deadline_minutes"
    assert conn.execute(f"SELECT {said} FROM runs WHERE id = %s".encode(), (made,)).fetchone() == (
        "waiting", 50, 9, 1.0, 60
    )  # fmt: skip
    assert conn.execute("SELECT state FROM runs WHERE id = %s", (failed,)).fetchone() == ("failed",)
    again = api.post(f"{API}/{failed}/retry", json={"afresh": True})
    assert error_of(again) == (409, "under_way")


@pytest.mark.parametrize("afresh", ["yes", 1, None])
def test_afresh_is_yes_or_no(api: Browser, failed: int, afresh: Any) -> None:
    assert error_of(api.post(f"{API}/{failed}/retry", json={"afresh": afresh})) == (400, "bad_afresh")


def test_only_what_failed_or_was_cancelled_begins_afresh(api: Browser, conn: Connection, health: int) -> None:
    run_id = enqueue_run_of(conn, health)
    answer = api.post(f"{API}/{run_id}/retry", json={"afresh": True})
    assert error_of(answer) == (409, "not_retryable")
    assert conn.execute("SELECT count(*) FROM runs").fetchone() == (1,)


def test_the_button_leads_to_the_new_run(officer: Browser, conn: Connection, failed: int) -> None:
    conn.execute("UPDATE run_progress SET pages = 3, saved = 300")
    assert "Start new run" in officer.get(f"{PAGE}/{failed}").text
    answer = officer.press(f"/dashboard/admin/fetch-data/runs/{failed}/afresh")
    assert (answer.status_code, answer.location) == (303, f"{PAGE}/{failed + 1}#run")


def test_what_a_failed_run_left_is_called_partial(
    api: Browser, officer: Browser, conn: Connection, failed: int
) -> None:
    assert api.get(f"/api/hrims/job-status/{failed}").get_json()["partial"] is False
    conn.execute("UPDATE run_progress SET pages = 3, saved = 300")
    assert api.get(f"/api/hrims/job-status/{failed}").get_json()["partial"] is True
    assert "failed, partial" in officer.get("/dashboard/admin/fetch-data/recent").text
    assert conn.execute("SELECT partial FROM runs_v").fetchone() == (True,)


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"attempts": 0}, "bad_attempts"),
        ({"attempts": 51}, "bad_attempts"),
        ({"attempts": "3"}, "bad_attempts"),
        ({"attempts": True}, "bad_attempts"),
        ({"attemptPause": -1}, "bad_attempt_pause"),
        ({"attemptPause": "soon"}, "bad_attempt_pause"),
        ({"deadlineMinutes": 0}, "bad_deadline_minutes"),
        ({"deadlineMinutes": 1.5}, "bad_deadline_minutes"),
    ],
)
def test_patience_is_checked(
    api: Browser, conn: Connection, health: int, given: dict[str, Any], code: str
) -> None:
    answer = api.post("/api/hrims/fetch-by-institution", json=fetch_body(health) | given)
    assert error_of(answer) == (400, code)
    assert conn.execute("SELECT count(*) FROM runs").fetchone() == (0,)


def test_patience_is_kept_with_the_run(api: Browser, officer: Browser, conn: Connection, health: int) -> None:
    params = {"attempts": 7, "attemptPause": 0.5, "deadlineMinutes": 30}
    job = api.post("/api/hrims/fetch-by-institution", json=fetch_body(health) | params).get_json()["jobId"]
    shown = api.get(f"/api/hrims/job-status/{job}").get_json()
    assert (shown["attempts"], shown["attemptPause"]) == (7, 0.5)
    assert shown["deadlineAt"] is not None
    [(details,)] = conn.execute("SELECT details FROM audit_log WHERE action = 'run.ask'").fetchall()
    assert {"attempts", "attempt_pause", "deadline_minutes"} <= set(details)


def test_patience_is_asked_for_on_the_page(officer: Browser, conn: Connection, health: int) -> None:
    form = {"institution": str(health), "identifier_type": "votecode", "priority": "urgent",
            "attempts": "4", "attempt_pause": "2.5", "deadline_minutes": ""}  # fmt: skip
    assert officer.press("/dashboard/admin/fetch-data", **form).status_code == 303
    said = "priority, attempts, attempt_pause, deadline_minutes"
    assert conn.execute(f"SELECT {said} FROM runs".encode()).fetchone() == ("urgent", 4, 2.5, None)


def test_a_wrong_number_on_the_page_is_said_and_kept(officer: Browser, conn: Connection, health: int) -> None:
    form = {"institution": str(health), "identifier_type": "votecode", "attempts": "many"}
    answer = officer.press("/dashboard/admin/fetch-data", **form)
    assert answer.status_code == 400
    assert "“Attempts” must be a whole number from 1 to 50" in answer.text
    assert 'value="many"' in answer.text
    assert conn.execute("SELECT count(*) FROM runs").fetchone() == (0,)
