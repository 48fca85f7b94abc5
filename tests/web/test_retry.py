"""POST /api/hrims/jobs/<jobId>/retry."""

import pytest

from hrims.db import Connection
from tests.web.browsers import Browser
from tests.web.runs import end_run, enqueue_run_of, error_of, institution


@pytest.fixture
def job(conn: Connection) -> int:
    """Provide a run that failed."""
    return end_run(conn, enqueue_run_of(conn, institution(conn)), "failed")


def test_it_works(api: Browser, conn: Connection, job: int) -> None:
    answer = api.post(f"/api/hrims/jobs/{job}/retry")
    assert (answer.status_code, answer.get_json()["state"]) == (202, "waiting")
    audit = conn.execute("SELECT action, subject FROM audit_log ORDER BY id DESC LIMIT 1").fetchone()
    assert audit == ("run.retry", f"run:{job}")


def test_another_run_under_way_comes_first(api: Browser, conn: Connection, job: int) -> None:
    enqueue_run_of(conn, 1)
    assert error_of(api.post(f"/api/hrims/jobs/{job}/retry")) == (409, "under_way")


def test_a_completed_run_is_left_as_it_is(api: Browser, conn: Connection) -> None:
    job = end_run(conn, enqueue_run_of(conn, institution(conn)))
    assert error_of(api.post(f"/api/hrims/jobs/{job}/retry")) == (409, "not_retryable")


def test_refusals(api: Browser, client: Browser, officer: Browser, conn: Connection, job: int) -> None:
    assert error_of(api.post("/api/hrims/jobs/abc/retry")) == (400, "bad_job_id")
    assert error_of(api.post("/api/hrims/jobs/4711/retry")) == (404, "unknown_job")
    assert error_of(client.post(f"/api/hrims/jobs/{job}/retry")) == (401, "not_signed_in")
    assert error_of(officer.post(f"/api/hrims/jobs/{job}/retry")) == (400, "csrf")
    assert conn.execute("SELECT state FROM runs").fetchall() == [("failed",)]
