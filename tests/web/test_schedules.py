"""Schedules on the page and for machines."""

from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest

from hrims.db import Connection
from tests.web.browsers import Browser
from tests.web.runs import error_of

PAGE = "/dashboard/admin/schedules"
API = "/api/hrims/schedules"

NIGHTLY: dict[str, Any] = {"name": "Every night", "cron": "0 1 * * *"}

FORM = {
    "name": "Every night", "when": "plain", "every": "day", "at": "01:00", "day": "1", "cron": "",
    "time_zone": "Africa/Dar_es_Salaam", "wish": "all", "priority": "low", "page_size": "100", "spread": "0",
    "missed": "once", "quiet_from": "07:00", "quiet_until": "16:00", "identifier_type": "",
}  # fmt: skip


def test_the_api_keeps_a_schedule_and_tells_its_next_times(api: Browser, health: int) -> None:
    answer = api.post(
        API, json=NIGHTLY | {"institutions": [health], "quietFrom": "07:00", "quietUntil": "16:00"}
    )
    assert answer.status_code == 201
    body = answer.get_json()
    assert (body["cron"], body["timeZone"], body["institutions"]) == (
        "0 1 * * *",
        "Africa/Dar_es_Salaam",
        [health],
    )
    assert (body["quietFrom"], body["quietUntil"], body["missed"]) == ("07:00", "16:00", "once")
    times = [datetime.fromisoformat(at) for at in body["next"]]
    assert [(later - earlier).total_seconds() for earlier, later in pairwise(times)] == [86400] * 4
    assert body["latest"] == []
    [listed] = api.get(API).get_json()["schedules"]
    assert listed == {name: value for name, value in body.items() if name != "success"}
    assert api.get(f"{API}/1").get_json() == body


def test_the_api_changes_pauses_runs_and_removes(api: Browser, conn: Connection, health: int) -> None:
    api.post(API, json=NIGHTLY)
    changed = api.put(
        f"{API}/1",
        json={"name": "Weekly", "cron": "0 3 * * 6", "institutions": "all", "spreadMinutes": 60},
    ).get_json()
    refused = api.put(f"{API}/1", json={"name": "Weekly", "cron": "0 3 * * 6"})
    assert error_of(refused) == (400, "no_institutions")
    assert (changed["name"], changed["spreadMinutes"]) == ("Weekly", 60)
    assert api.post(f"{API}/1/pause").get_json()["pausedBy"] == "token:nightly"
    assert error_of(api.post(f"{API}/1/pause")) == (409, "paused")
    assert api.post(f"{API}/1/resume").get_json()["pausedBy"] is None
    ran = api.post(f"{API}/1/run")
    assert (ran.status_code, ran.get_json()["batchId"]) == (202, "1")
    assert conn.execute("SELECT requested_by FROM batches").fetchone() == ("token:nightly",)
    assert api.post(f"{API}/1/remove").get_json() == {"success": True}
    for path in ("1", "0", "x"):
        assert error_of(api.get(f"{API}/{path}")) == (404, "unknown_schedule")
    assert error_of(api.post(f"{API}/1/run")) == (404, "unknown_schedule")


@pytest.mark.parametrize(
    ("wish", "answer"),
    [
        ({}, (400, "bad_cron")),
        ({"cron": "0 1 * * *"}, (400, "bad_name")),
        (NIGHTLY | {"cron": "* * * * *"}, (400, "bad_cron")),
        (NIGHTLY | {"timeZone": "Mars"}, (400, "bad_time_zone")),
        (NIGHTLY | {"institutions": {}}, (400, "bad_institutions")),
        (NIGHTLY | {"institutions": [99]}, (404, "unknown_institution")),
        (NIGHTLY | {"quietFrom": 7, "quietUntil": 16}, (400, "bad_time")),
        (NIGHTLY | {"color": "red"}, (400, "unknown_field")),
    ],
)
def test_a_wrong_wish_is_refused(
    api: Browser, conn: Connection, wish: dict[str, Any], answer: tuple[int, str]
) -> None:
    assert error_of(api.post(API, json=wish)) == answer
    assert conn.execute("SELECT count(*) FROM schedules").fetchone() == (0,)


def test_the_form_adds_one_and_shows_it(administrator: Browser, conn: Connection, health: int) -> None:
    answer = administrator.press(PAGE, **FORM)
    assert (answer.status_code, answer.location) == (303, f"{PAGE}/1")
    page = administrator.get(answer.location).text
    for words in ("Every day at 01:00", "Africa/Dar_es_Salaam", "No runs yet.", "Run schedule now"):
        assert words in page
    assert page.count("<li><time") == 5
    assert "Every night" in administrator.get(PAGE).text
    stored = conn.execute("SELECT cron, quiet_from::text, quiet_until::text FROM schedules").fetchone()
    assert stored == ("0 1 * * *", "07:00:00", "16:00:00")


def test_a_refused_form_keeps_what_was_said(administrator: Browser, conn: Connection, health: int) -> None:
    form = FORM | {"name": "", "when": "cron", "cron": "0 99 * * *", "spread": "many"}
    answer = administrator.press(PAGE, **form)
    assert answer.status_code == 400
    assert "A field of this cron line cannot be read." in answer.text
    assert 'value="0 99 * * *"' in answer.text
    assert 'value="many"' in answer.text
    administrator.press(PAGE, **FORM)
    refused = administrator.press(f"{PAGE}/1", **(FORM | {"spread": "many"}))
    assert (refused.status_code, "“Spread over minutes” must be" in refused.text) == (400, True)
    assert conn.execute("SELECT count(*), max(spread_minutes) FROM schedules").fetchone() == (1, 0)


def test_a_cron_line_that_was_typed_is_not_dropped(
    administrator: Browser, conn: Connection, health: int
) -> None:
    typed = FORM | {"when": "plain", "cron": "0 5 * * *"}
    answer = administrator.press(PAGE, **typed)
    assert (answer.status_code, "but “Simple” is selected" in answer.text) == (400, True)
    administrator.press(PAGE, **(typed | {"when": "cron"}))
    # Values that the form filled in are no request.
    plainly = typed | {"cron_was": "0 5 * * *"}
    assert administrator.press(f"{PAGE}/1", **plainly).status_code == 303
    assert conn.execute("SELECT cron FROM schedules").fetchall() == [("0 1 * * *",)]


def test_buttons_pause_resume_run_and_remove(administrator: Browser, conn: Connection, health: int) -> None:
    administrator.press(PAGE, **FORM)
    administrator.press(f"{PAGE}/1/pause")
    assert "Paused by binti" in administrator.get(f"{PAGE}/1").text
    assert "paused by binti" in administrator.get(PAGE).text
    refused = administrator.press(f"{PAGE}/1/pause")
    assert (refused.status_code, "is paused already" in refused.text) == (409, True)
    administrator.press(f"{PAGE}/1/resume")
    ran = administrator.press(f"{PAGE}/1/run")
    assert ran.location == "/dashboard/admin/batches/1"
    changed = administrator.press(f"{PAGE}/1", **(FORM | {"every": "week", "weekday": "6"}))
    assert changed.status_code == 303
    assert "Every Saturday at 01:00" in administrator.get(f"{PAGE}/1").text
    assert administrator.press(f"{PAGE}/1/remove").location == PAGE
    assert administrator.get(f"{PAGE}/1").status_code == 404


def test_the_next_times_are_shown_while_the_form_is_filled_in(officer: Browser) -> None:
    requested = {"when": "cron", "cron": "0 1 * * *", "time_zone": "Africa/Dar_es_Salaam"}
    assert officer.get(f"{PAGE}/upcoming", query_string=requested).text.count("<li>") == 5
    wrong = officer.get(f"{PAGE}/upcoming", query_string=requested | {"cron": "0 1"})
    assert (wrong.status_code, "must have five fields" in wrong.text) == (200, True)


def test_only_administrators_change_schedules(
    officer: Browser, administrator: Browser, conn: Connection
) -> None:
    administrator.press(PAGE, **FORM)
    assert officer.press(PAGE, **FORM).status_code == 403
    page = officer.get(f"{PAGE}/1").text
    assert "Run schedule now" not in page
    assert "Change schedule" not in page
    for deed in ("run", "pause", "resume", "remove"):
        assert officer.press(f"{PAGE}/1/{deed}").status_code == 403
    assert conn.execute("SELECT count(*) FROM schedules").fetchone() == (1,)
