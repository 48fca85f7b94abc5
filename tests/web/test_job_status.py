"""GET /api/hrims/job-status/<jobId>."""

import pytest

from hrims.db import Connection
from tests.web.browsers import Browser
from tests.web.runs import end_run, error_of

PATH = "/api/hrims/job-status"

PROGRESS = {
    "type", "phase", "message", "currentPage", "totalFetched", "estimatedTotal", "estimatedPages",
    "progressPercent", "saved", "skipped", "total",
}  # fmt: skip
RESULT = {
    "success", "outcome", "institutionName", "employeeCount", "skippedCount", "totalFetched",
    "pagesFetched", "fetchTime", "saveTime", "totalTime", "employees", "new", "changed", "unchanged",
    "rejected", "unmatched", "leavers",
}  # fmt: skip


def test_it_works(api: Browser, job: int) -> None:
    answer = api.get(f"{PATH}/{job}").get_json()
    assert (answer["success"], answer["jobId"], answer["state"]) == (True, str(job), "waiting")
    assert answer["institutionName"] == "WIZARA YA AFYA"
    assert answer["progress"].keys() >= PROGRESS
    assert (answer["progress"]["phase"], answer["progress"]["progressPercent"]) == ("fetching", 0)
    assert answer["result"] is None
    assert answer["error"] is None


def test_an_active_run_shows_what_is_saved(api: Browser, conn: Connection, job: int) -> None:
    conn.execute("UPDATE runs SET state = 'active', started_at = now()")
    conn.execute(
        "UPDATE run_progress SET pages = 3, fetched = 300, saved = 298, rejected = 2, remote_total = 640"
    )
    progress = api.get(f"{PATH}/{job}").get_json()["progress"]
    assert (progress["saved"], progress["skipped"], progress["estimatedPages"]) == (298, 2, 7)
    assert (progress["progressPercent"], progress["total"]) == (46, 640)
    assert "3 of 7 pages" in progress["message"]


def test_a_completed_run_shows_its_result(api: Browser, conn: Connection, job: int) -> None:
    end_run(conn, job)
    answer = api.get(f"{PATH}/{job}").get_json()
    assert (answer["state"], answer["outcome"]) == ("completed", "complete")
    assert answer["result"].keys() >= RESULT
    assert (answer["result"]["success"], answer["result"]["totalTime"]) == (True, 7.0)
    assert answer["error"] is None


def test_an_incomplete_run_is_no_success(api: Browser, conn: Connection, job: int) -> None:
    end_run(conn, job, outcome="incomplete")
    assert api.get(f"{PATH}/{job}").get_json()["result"]["success"] is False


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_a_run_without_a_result_says_why(api: Browser, conn: Connection, job: int, state: str) -> None:
    answer = api.get(f"{PATH}/{end_run(conn, job, state)}").get_json()
    assert answer["result"] is None
    assert (answer["error"]["success"], answer["error"]["state"]) == (False, state)
    assert answer["error"]["message"]


def test_everybody_sees_the_same(api: Browser, officer: Browser, job: int) -> None:
    assert officer.get(f"{PATH}/{job}").get_json() == api.get(f"{PATH}/{job}").get_json()


@pytest.mark.parametrize("job_id", ["abc", "0", "-1", "1.5", "9" * 30, "9" * 5000, "٣", "%00", "1e3"])
def test_what_is_no_job_id_is_refused(api: Browser, job_id: str) -> None:
    assert error_of(api.get(f"{PATH}/{job_id}")) == (400, "bad_job_id")


def test_an_unknown_job_is_not_found(api: Browser) -> None:
    assert error_of(api.get(f"{PATH}/4711")) == (404, "unknown_job")
