"""Workers and their pools, on the page and in the API; and what is shown of an institution's runs."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from flask import Flask

from hrims.db import Connection
from tests.database.runs import register_worker
from tests.support.databases import BLOCKED
from tests.web.browsers import Browser, new_browser, signed_in
from tests.web.runs import end_run, enqueue_run_of, error_of, institution

PAGE = "/dashboard/admin/workers"
API = "/api/hrims/workers"
URL = "https://hrims.secret.example"
CARE = "/api/hrims/institutions/{}/care"

SAID = {"pool": "health", "attempts": 5, "attemptPause": 1.5, "deadlineMinutes": 90}


def test_a_worker_is_shown_with_what_it_does(
    officer: Browser, api: Browser, conn: Connection, health: int
) -> None:
    number = register_worker(conn)
    run_id = enqueue_run_of(conn, health)
    conn.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", (number,))
    [one] = api.get(API).get_json()["workers"]
    assert (one["host"], one["alive"], one["capacity"], one["pool"]) == ("host", True, 2, None)
    assert one["jobIds"] == [str(run_id)]
    page = officer.get(PAGE).text
    for words in ("host, process 1", "alive", f">run {run_id}</a>"):
        assert words in page


def test_runs_of_other_institutions_are_only_counted(app: Flask, conn: Connection, health: int) -> None:
    number = register_worker(conn)
    own = enqueue_run_of(conn, health)
    foreign = enqueue_run_of(conn, institution(conn, "PENGINE", "002", "156255891"), "002")
    conn.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = %s", (number,))
    viewer = signed_in(new_browser(app), conn, "rashid", "viewer", [health])
    [one] = viewer.get(API).get_json()["workers"]
    assert (one["jobIds"], one["otherJobs"]) == ([str(own)], 1)
    page = viewer.get(PAGE).text
    assert f"run {own}</a>, 1 run of other institutions</td>" in page
    assert f"run {foreign}" not in page
    conn.execute(
        "UPDATE procrastinate_jobs SET status = 'todo' WHERE id IN"
        " (SELECT queue_job_id FROM runs WHERE id = %s)",
        (own,),
    )
    assert ">1 run of other institutions</td>" in viewer.get(PAGE).text


@pytest.mark.parametrize(("role", "shown"), [("viewer", None), ("supervisor", None), ("administrator", URL)])
def test_only_who_manages_the_connection_sees_the_address(
    app: Flask, conn: Connection, api: Browser, role: str, shown: str | None
) -> None:
    register_worker(conn)
    conn.execute("UPDATE workers SET address = %s", (URL,))
    browser = signed_in(new_browser(app), conn, "rashid", role)
    assert browser.get(API).get_json()["workers"][0]["address"] == shown
    assert api.get(API).get_json()["workers"][0]["address"] is None
    assert (URL in browser.get(PAGE).text) is False


def test_one_that_fell_silent_or_stopped_is_told_from_one_that_lives(api: Browser, conn: Connection) -> None:
    silent, stopped, _ = register_worker(conn), register_worker(conn), register_worker(conn)
    conn.execute("UPDATE workers SET last_beat = now() - interval '21 s' WHERE worker_id = %s", (silent,))
    conn.execute("UPDATE workers SET ended_at = now() WHERE worker_id = %s", (stopped,))
    found = {one["id"]: (one["alive"], one["endedAt"] is None) for one in api.get(API).get_json()["workers"]}
    assert found == {silent: (False, True), stopped: (False, False), stopped + 1: (True, True)}


def test_the_banner_says_that_no_worker_runs(officer: Browser, conn: Connection) -> None:
    assert "No worker is running." in officer.get(f"{PAGE}/banner").text.replace("\n", "")
    number = register_worker(conn)
    assert officer.get(f"{PAGE}/banner").text.strip() == ""
    conn.execute("UPDATE workers SET last_beat = now() - interval '21 s' WHERE worker_id = %s", (number,))
    assert "the last heartbeat was" in officer.get(f"{PAGE}/banner").text


def test_a_pool_without_a_worker_is_said_in_red(
    officer: Browser, api: Browser, conn: Connection, health: int
) -> None:
    register_worker(conn)
    api.put(CARE.format(health), json=SAID)
    assert "notice bad" in officer.get(PAGE).text
    assert officer.get(f"{PAGE}/banner").text.strip() == ""
    enqueue_run_of(conn, health)
    assert "The pool health has no worker: 1 run waits." in officer.get(f"{PAGE}/banner").text
    register_worker(conn, "health")
    assert "notice bad" not in officer.get(PAGE).text


def test_a_run_says_which_worker_it_waits_for(api: Browser, conn: Connection, health: int) -> None:
    register_worker(conn)
    api.put(CARE.format(health), json=SAID)
    job = enqueue_run_of(conn, health)
    told = api.get(f"/api/hrims/job-status/{job}").get_json()
    assert told["message"] == ("Waiting: no worker of the pool health is running.")
    assert told["pool"] == "health"


def test_a_run_that_waits_goes_over_to_another_pool(api: Browser, conn: Connection, health: int) -> None:
    enqueue_run_of(conn, health)
    queue = "SELECT j.queue_name, r.pool FROM procrastinate_jobs j JOIN runs r ON r.queue_job_id = j.id"
    assert conn.execute(queue).fetchone() == ("sync", None)
    api.put(CARE.format(health), json=SAID)
    assert conn.execute(queue).fetchone() == ("sync.health", "health")
    api.put(CARE.format(health), json={})
    assert conn.execute(queue).fetchone() == ("sync", None)


QUEUE = "SELECT j.queue_name, r.pool FROM procrastinate_jobs j JOIN runs r ON r.queue_job_id = j.id"


def test_a_failed_run_is_tried_again_in_the_pool_of_today(
    api: Browser, conn: Connection, health: int
) -> None:
    api.put(CARE.format(health), json=SAID)
    run_id = end_run(conn, enqueue_run_of(conn, health), "failed", None)
    api.put(CARE.format(health), json={})
    api.post(f"/api/hrims/jobs/{run_id}/retry")
    assert conn.execute(QUEUE).fetchone() == ("sync", None)


def test_who_asks_while_the_pool_changes_waits_for_it(
    api: Browser, conn: Connection, dsn: str, health: int
) -> None:
    with psycopg.connect(dsn) as other, ThreadPoolExecutor() as threads:
        other.execute("UPDATE institutions SET pool = 'health'")
        requested = threads.submit(lambda: enqueue_run_of(conn, health))
        with psycopg.connect(dsn, autocommit=True) as looking:
            until_waiting(looking)
        other.commit()
        requested.result(60)
    assert conn.execute(QUEUE).fetchone() == ("sync.health", "health")


def until_waiting(conn: Connection) -> None:
    """Wait until a session waits for a lock in this test's database."""
    until = time.monotonic() + 20
    while not conn.execute(BLOCKED).fetchall():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_what_is_said_of_an_institution_is_kept_and_audited(
    api: Browser, conn: Connection, health: int
) -> None:
    answer = api.put(CARE.format(health), json=SAID).get_json()
    assert {name: answer[name] for name in SAID} == SAID
    assert api.get(CARE.format(health)).get_json() == answer
    [(actor, before, after)] = conn.execute(
        "SELECT actor, before, after FROM audit_log WHERE action = 'institution.run_policy'"
    ).fetchall()
    assert (actor, before["pool"], before["attempts"]) == ("token:nightly", None, None)
    assert (after["pool"], after["attempts"]) == ("health", 5)


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"pool": "Health"}, "bad_pool"),
        ({"pool": "x" * 31}, "bad_pool"),
        ({"pool": 7}, "bad_pool"),
        ({"pool": "a b"}, "bad_pool"),
        ({"attempts": 0}, "bad_attempts"),
        ({"attemptPause": 3601}, "bad_attempt_pause"),
        ({"deadlineMinutes": "90"}, "bad_deadline_minutes"),
    ],
)
def test_a_wrong_wish_changes_nothing(
    api: Browser, conn: Connection, health: int, wish: dict[str, Any], code: str
) -> None:
    assert error_of(api.put(CARE.format(health), json=wish)) == (400, code)
    assert conn.execute("SELECT pool, attempts FROM institutions").fetchone() == (None, None)
    assert conn.execute(
        "SELECT count(*) FROM audit_log WHERE action = 'institution.run_policy'"
    ).fetchone() == (0,)


def test_the_page_says_it_too_for_administrators_alone(
    administrator: Browser, officer: Browser, conn: Connection, health: int
) -> None:
    page = f"/dashboard/admin/institutions/{health}"
    form = {"pool": "health", "attempts": "5", "attempt_pause": "", "deadline_minutes": "90"}
    assert officer.press(page, **form).status_code == 403
    assert "Only administrators" in officer.get(page).text
    assert administrator.press(page, **form).status_code == 303
    assert conn.execute("SELECT pool, attempts, deadline_minutes FROM institutions").fetchone() == (
        "health",
        5,
        90,
    )
    refused = administrator.press(page, **(form | {"pool": "Health!"}))
    assert refused.status_code == 400
    assert 'value="Health!"' in refused.text
    assert "The pool must be" in refused.text
    assert administrator.get("/dashboard/admin/institutions/999").status_code == 404


def test_a_policy_that_is_saved_unchanged_leaves_no_record(
    api: Browser, conn: Connection, health: int
) -> None:
    for _ in range(2):
        assert api.put(CARE.format(health), json=SAID).status_code == 200
    policies = "SELECT count(*) FROM audit_log WHERE action = 'institution.run_policy'"
    assert conn.execute(policies).fetchone() == (1,)
