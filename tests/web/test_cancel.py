"""POST /api/hrims/jobs/<jobId>/cancel."""

from hrims.db import Connection
from tests.web.browsers import Browser
from tests.web.runs import end_run, error_of


def test_it_works(api: Browser, conn: Connection, job: int) -> None:
    answer = api.post(f"/api/hrims/jobs/{job}/cancel")
    assert (answer.status_code, answer.get_json()["state"]) == (200, "cancelled")
    audit = conn.execute(
        "SELECT actor, action, subject FROM audit_log WHERE via <> 'system' ORDER BY id DESC LIMIT 1"
    ).fetchone()
    assert audit == ("token:nightly", "run.cancel", f"run:{job}")


def test_a_run_that_has_ended_is_left_as_it_is(api: Browser, conn: Connection, job: int) -> None:
    end_run(conn, job)
    assert error_of(api.post(f"/api/hrims/jobs/{job}/cancel")) == (409, "ended")


def test_refusals(api: Browser, client: Browser, officer: Browser, conn: Connection, job: int) -> None:
    assert error_of(api.post("/api/hrims/jobs/abc/cancel")) == (400, "bad_job_id")
    assert error_of(api.post("/api/hrims/jobs/4711/cancel")) == (404, "unknown_job")
    assert error_of(client.post(f"/api/hrims/jobs/{job}/cancel")) == (401, "not_signed_in")
    assert error_of(officer.post(f"/api/hrims/jobs/{job}/cancel")) == (400, "csrf")
    assert error_of(api.get(f"/api/hrims/jobs/{job}/cancel")) == (405, "method_not_allowed")
    assert conn.execute("SELECT state FROM runs").fetchall() == [("waiting",)]
