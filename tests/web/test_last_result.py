"""The last result of an institution is shown beside its newest run, which may have none."""

from datetime import UTC, datetime
from typing import Any

import pytest

from hrims.db import Connection
from tests.web.browsers import Browser
from tests.web.runs import end_run, enqueue_run_of, institution

SHOWN = "complete, 6,408 people"


@pytest.fixture
def health(conn: Connection) -> int:
    """Provide the ministry of health, of which a run has completed."""
    id_ = institution(conn)
    completed(conn, enqueue_run_of(conn, id_))
    return id_


def completed(conn: Connection, run_id: int, people: int = 6408) -> int:
    """End a run with so many people."""
    end_run(conn, run_id)
    conn.execute(
        "UPDATE runs SET people = %s, finished_at = %s WHERE id = %s",
        (people, datetime(2026, 11, 12, 1, 20, tzinfo=UTC), run_id),
    )
    return run_id


def text(answer: Any) -> str:
    """Return the page's text without line breaks."""
    return " ".join(answer.get_data(as_text=True).split())


def last(api: Browser, run_id: int) -> Any:
    return api.get(f"/api/hrims/job-status/{run_id}").get_json()["lastCompleted"]


@pytest.mark.parametrize("state", ["cancelled", "failed", "waiting"])
def test_it_is_shown_whatever_the_newest_run_came_to(
    officer: Browser, api: Browser, conn: Connection, health: int, state: str
) -> None:
    newest = enqueue_run_of(conn, health)
    if state != "waiting":
        end_run(conn, newest, state)
    page = text(officer.get(f"/dashboard/admin/fetch-data?institution={health}"))
    assert f"Run {newest}" in page
    assert SHOWN in page
    assert SHOWN in text(officer.get(f"/dashboard/admin/fetch-data/runs/{newest}"))
    assert last(api, newest) == {
        "jobId": "1",
        "outcome": "complete",
        "employeeCount": 6408,
        "finishedAt": "2026-11-12T01:20:00.000+00:00",
    }


def test_a_result_has_no_other_beside_it(
    officer: Browser, api: Browser, conn: Connection, health: int
) -> None:
    newest = completed(conn, enqueue_run_of(conn, health), people=7000)
    page = text(officer.get(f"/dashboard/admin/fetch-data?institution={health}"))
    assert "Last result" not in page
    assert last(api, newest) is None


def test_what_completes_no_listing_hides_no_result(api: Browser, conn: Connection, health: int) -> None:
    for kind in ("preview", "rejected"):
        newest = completed(conn, enqueue_run_of(conn, health), people=3)
        conn.execute("UPDATE runs SET kind = %s WHERE id = %s", (kind, newest))
        assert last(api, newest)["jobId"] == "1"


def test_an_institution_without_a_result_has_none(api: Browser, conn: Connection) -> None:
    assert last(api, end_run(conn, enqueue_run_of(conn, institution(conn)), "failed")) is None


def test_the_queue_shows_it(officer: Browser, conn: Connection, health: int) -> None:
    enqueue_run_of(conn, health)
    assert SHOWN in text(officer.get("/dashboard/admin/queue"))


def test_a_batch_shows_it(officer: Browser, api: Browser, conn: Connection, health: int) -> None:
    institution(conn, "TUME", "037", "129673100")
    requested = api.post("/api/hrims/batches", json={"institutions": "all"}).get_json()
    end_run(conn, 2, "cancelled")
    assert text(officer.get(f"/dashboard/admin/batches/{requested['batchId']}")).count(SHOWN) == 1
    members = api.get(requested["statusUrl"]).get_json()["members"]
    shown = {
        one["institutionName"]: one["lastCompleted"] and one["lastCompleted"]["jobId"] for one in members
    }
    assert shown == {"WIZARA YA AFYA": "1", "TUME": None}
