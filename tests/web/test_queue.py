"""The screen of the queue, and GET and POST /api/hrims/queue and what is below it."""

from typing import Any

import pytest
from flask import Flask

from hrims.db import Connection
from tests.database.runs import register_worker
from tests.support.users import add_machine
from tests.web.browsers import Browser, new_browser, signed_in
from tests.web.runs import enqueue_run_of, error_of, fetch_body, institution

PAGE, API = "/dashboard/admin/queue", "/api/hrims/queue"

WHY = "The payroll is closed on Friday"


def audited(conn: Connection) -> list[Any]:
    """Return what the audit record says of the queue."""
    rows = (
        "SELECT actor, action, reason, before, after FROM audit_log WHERE action LIKE 'queue.%' ORDER BY id"
    )
    return conn.execute(rows.encode()).fetchall()


def worker(conn: Connection) -> None:
    """Add a live worker."""
    register_worker(conn)


def started(conn: Connection, run_id: int, times: int) -> None:
    """Of this run's starts, so many have just been."""
    conn.execute(
        "INSERT INTO run_starts (run_id, at) SELECT %s, now() - n * interval '1 second'"
        " FROM generate_series(1, %s) n",
        (run_id, times),
    )


def test_it_tells_how_the_queue_stands(api: Browser, conn: Connection) -> None:
    worker(conn)
    run_id = enqueue_run_of(conn, institution(conn))
    body = api.get(API).get_json()
    jobs = body.pop("jobs")
    assert body == {
        "success": True, "paused": False, "pausedAt": None, "pausedBy": None, "pausedWhy": None,
        "startsPerMinute": 5,
    }  # fmt: skip
    assert [(job["jobId"], job["state"], job["message"], job["startsAt"]) for job in jobs] == [
        (str(run_id), "waiting", "Waiting for a worker to start it.", None)
    ]


def test_who_waits_for_a_turn_is_told_so_and_until_when(
    api: Browser, administrator: Browser, conn: Connection
) -> None:
    worker(conn)
    first = enqueue_run_of(conn, institution(conn))
    second = enqueue_run_of(conn, institution(conn, "TUME", "037", "129673100"), "037")
    started(conn, first, 5)
    one, two = api.get(API).get_json()["jobs"]
    assert [one["jobId"], two["jobId"]] == [str(first), str(second)]
    assert one["message"] == "Waiting: at most 5 runs start per minute."
    assert one["startsAt"] < two["startsAt"]
    page = administrator.get(f"/dashboard/admin/fetch-data/runs/{first}").text
    assert "Starts at about <time" in page
    assert administrator.get(PAGE).text.count("Waiting: at most 5 runs start per minute.") == 2
    administrator.press(f"{PAGE}/pause", why=WHY)
    assert [job["startsAt"] for job in api.get(API).get_json()["jobs"]] == [None, None]
    assert api.get(f"/api/hrims/job-status/{second}").get_json()["startsAt"] is None
    assert "Starts at about" not in administrator.get(f"/dashboard/admin/fetch-data/runs/{first}").text


def test_the_queue_is_paused_and_goes_on(administrator: Browser, api: Browser, conn: Connection) -> None:
    worker(conn)
    run_id = enqueue_run_of(conn, institution(conn))
    assert administrator.press(f"{PAGE}/pause", why=f"  {WHY} ").status_code == 303
    body = api.get(API).get_json()
    assert (body["paused"], body["pausedBy"], body["pausedWhy"]) == (True, "binti", WHY)
    message = f"Waiting: binti paused the queue ({WHY})."
    assert api.get(f"/api/hrims/job-status/{run_id}").get_json()["message"] == message
    assert "Paused by binti, <time" in administrator.get(PAGE).text
    refused = administrator.press(f"{PAGE}/pause", why="again")
    assert (refused.status_code, "paused already" in refused.text) == (409, True)
    assert administrator.press(f"{PAGE}/resume").status_code == 303
    assert administrator.press(f"{PAGE}/resume").status_code == 409
    assert api.get(API).get_json()["paused"] is False
    assert audited(conn) == [
        ("binti", "queue.pause", WHY, None, None),
        ("binti", "queue.resume", None, None, None),
    ]


def test_machines_pause_it_and_set_its_limit(api: Browser, conn: Connection) -> None:
    assert api.post(f"{API}/pause", json={"why": WHY}).get_json()["paused"] is True
    assert error_of(api.post(f"{API}/pause", json={"why": WHY})) == (409, "paused")
    assert api.post(f"{API}/resume").get_json()["paused"] is False
    assert error_of(api.post(f"{API}/resume")) == (409, "not_paused")
    assert api.post(f"{API}/limit", json={"startsPerMinute": 12}).get_json()["startsPerMinute"] == 12
    assert api.post(f"{API}/limit", json={"startsPerMinute": None}).get_json()["startsPerMinute"] == 5
    assert [row[1:] for row in audited(conn)][2:] == [
        ("queue.limit", None, 5, 12),
        ("queue.limit", None, 12, None),
    ]


@pytest.mark.parametrize("value", [0, -1, 10_001, "5", 1.5, True, [], {}])
def test_a_limit_that_is_none_changes_nothing(api: Browser, conn: Connection, value: object) -> None:
    assert error_of(api.post(f"{API}/limit", json={"startsPerMinute": value})) == (400, "bad_limit")
    assert error_of(api.post(f"{API}/limit", json={})) == (400, "bad_limit")
    assert audited(conn) == []


@pytest.mark.parametrize("why", ["", "   ", None, 5, "x" * 501, "a\x07b"])
def test_a_pause_needs_a_reason(api: Browser, conn: Connection, why: object) -> None:
    assert error_of(api.post(f"{API}/pause", json={"why": why})) == (400, "no_reason")
    assert api.get(API).get_json()["paused"] is False
    assert audited(conn) == []


@pytest.mark.parametrize(
    ("given", "status"), [("12", 303), ("", 303), ("0", 400), ("many", 400), ("99999999", 400)]
)
def test_the_limit_is_set_on_the_page(
    administrator: Browser, conn: Connection, given: str, status: int
) -> None:
    assert administrator.press(f"{PAGE}/limit", starts=given).status_code == status
    expected = int(given) if status == 303 and given else None
    assert conn.execute("SELECT starts_by_person FROM queue_settings").fetchone() == (expected,)


@pytest.mark.parametrize("role", ["officer", "auditor"])
def test_only_administrators_decide_and_everybody_sees(app: Flask, conn: Connection, role: str) -> None:
    browser = signed_in(new_browser(app), conn, "asha", role)
    page = browser.get(PAGE)
    assert (page.status_code, "Pause the queue" in page.text) == (200, False)
    for deed, form in (("pause", {"why": WHY}), ("resume", {}), ("limit", {"starts": "1"})):
        assert browser.press(f"{PAGE}/{deed}", **form).status_code == 403
    machine = new_browser(app)
    headers = {"Authorization": f"Bearer {add_machine(conn, 'guest', role)}"}
    for deed in ("pause", "resume", "limit"):
        assert error_of(machine.post(f"{API}/{deed}", json={"why": WHY}, headers=headers))[0] == 403
    assert audited(conn) == []


def test_a_run_that_waits_is_made_more_urgent(api: Browser, administrator: Browser, conn: Connection) -> None:
    first = enqueue_run_of(conn, institution(conn))
    second = enqueue_run_of(conn, institution(conn, "TUME", "037", "129673100"), "037")
    answer = api.post(f"/api/hrims/jobs/{second}/priority", json={"priority": "urgent"})
    assert (answer.status_code, answer.get_json()["priority"]) == (200, "urgent")
    assert [one["jobId"] for one in api.get(API).get_json()["jobs"]] == [str(second), str(first)]
    assert administrator.press(f"{PAGE}/runs/{second}/priority", priority="low").status_code == 303
    assert [one["jobId"] for one in api.get(API).get_json()["jobs"]] == [str(first), str(second)]
    rows = "SELECT actor, before, after FROM audit_log WHERE action = 'run.priority' ORDER BY id"
    assert conn.execute(rows.encode()).fetchall() == [
        ("token:nightly", "normal", "urgent"),
        ("binti", "urgent", "low"),
    ]


@pytest.mark.parametrize("value", ["most urgent", "", None, 10, []])
def test_a_priority_that_is_none_changes_nothing(api: Browser, conn: Connection, value: object) -> None:
    run_id = enqueue_run_of(conn, institution(conn))
    answer = api.post(f"/api/hrims/jobs/{run_id}/priority", json={"priority": value})
    assert error_of(answer) == (400, "bad_priority")
    answer = api.post("/api/hrims/fetch-by-institution", json=fetch_body(1, priority=value or ""))
    assert error_of(answer) == (400, "bad_priority")


def test_a_run_that_has_started_or_ended_is_as_urgent_as_it_was(api: Browser, conn: Connection) -> None:
    run_id = enqueue_run_of(conn, institution(conn))
    conn.execute("UPDATE runs SET state = 'active'")
    answer = api.post(f"/api/hrims/jobs/{run_id}/priority", json={"priority": "urgent"})
    assert error_of(answer) == (409, "not_waiting")
    assert conn.execute("SELECT priority FROM runs").fetchone() == ("normal",)


def test_a_request_has_a_priority_that_a_retry_keeps(api: Browser, conn: Connection) -> None:
    body = fetch_body(institution(conn), priority="urgent")
    run_id = int(api.post("/api/hrims/fetch-by-institution", json=body).get_json()["jobId"])
    assert api.post(f"/api/hrims/jobs/{run_id}/cancel").status_code == 200
    assert api.post(f"/api/hrims/jobs/{run_id}/retry").get_json()["priority"] == "urgent"
    jobs = "SELECT priority FROM procrastinate_jobs WHERE status = 'todo'"
    assert conn.execute(jobs.encode()).fetchall() == [(10,)]


def test_an_auditor_makes_nothing_urgent(app: Flask, conn: Connection) -> None:
    run_id = enqueue_run_of(conn, institution(conn))
    browser = signed_in(new_browser(app), conn, "asha", "auditor")
    assert "urgent" not in browser.get(PAGE).text
    assert browser.press(f"{PAGE}/runs/{run_id}/priority", priority="urgent").status_code == 403
