"""The story of a run in the worker's log: what an operator reads who looks for the reason at night."""

import json
from typing import Any

from hrims.jobs.enqueue_person import enqueue_person
from tests.e2e.flow.test_run import nothing_more
from tests.e2e.processes.product import wait_until
from tests.support.harness import World
from tests.support.users import ASHA

OF_A_STORY = {
    "page_failed",
    "page_saved",
    "person_failed",
    "remote_retried",
    "run_delayed",
    "run_ended",
    "run_failed",
    "run_resumed",
    "run_started",
}


def story(world: World, run_id: int) -> list[dict[str, Any]]:
    """Return the events that tell of a run, in their order, as soon as the worker has told its end."""

    def read() -> list[dict[str, Any]]:
        text = "".join(log.read_text() for log in sorted(world.folder.glob("worker-*.log")))
        lines = [line for line in text.splitlines(keepends=True) if line.endswith("\n")]
        events = [event for event in map(json.loads, lines) if event.get("run") == run_id]
        found = [event for event in events if event["event"] in OF_A_STORY]
        return found if any(event["event"] in {"run_ended", "run_failed"} for event in found) else []

    events: list[dict[str, Any]] = wait_until(read, world.logs)
    return events


def told(world: World) -> World:
    """Let workers log JSON, and start one."""
    world.settings |= {"HRIMS_LOG_FORMAT": "json"}
    world.start_worker()
    return world


def test_a_run_with_a_failure_and_a_reject(world: World) -> None:
    world.simulator.fail("http503", page=1, times=1)
    world.simulator.fail("wrong_types", page=2, times=1, index=4, path="personalInfo.birthDate", value=[1])
    run = told(world).wait_for_end(world.enqueue(page_size=100))
    started, *pages, ended = story(world, run.id)
    assert started.items() >= {
        "event": "run_started", "run": run.id, "attempt": 1, "worker": 1, "institution": 1,
        "institution_name": "WIZARA YA AFYA", "kind": "sync", "identifier_type": "votecode",
        "identifier": "001", "page_size": 100,
    }.items()  # fmt: skip
    [failed] = [event for event in pages if event["event"] == "page_failed"]
    assert (failed["page"], failed["failures"], failed["code"], failed["status"]) == (
        1,
        1,
        "remote_failed",
        503,
    )
    assert failed["ms"] >= 0
    saved = [event for event in pages if event["event"] == "page_saved"]
    assert {event["page"]: (event["records"], event["people"]) for event in saved} == {
        0: (100, 100), 1: (100, 100), 2: (40, 39),
    }  # fmt: skip
    assert all(event["total"] == 240 for event in saved)
    assert all(event["ms"] == event["fetch_ms"] + event["save_ms"] for event in saved)
    counted = 0
    # In the order of their commits: two pages are saved at the same time, and either is logged first.
    for event in sorted(saved, key=lambda event: int(event["saved"]) + int(event["skipped"])):
        counted += event["records"]
        assert event["saved"] + event["skipped"] == counted
        assert event["percent"] == 100 * counted // 240
    assert ended.items() >= {
        "event": "run_ended", "outcome": "complete", "saved": 239, "skipped": 1, "missing": 0, "total": 240,
        "pages": 3,
    }.items()  # fmt: skip
    assert ended["seconds"] >= 0


def test_a_run_that_is_tried_again_and_fails(world: World) -> None:
    world.settings |= {"HRIMS_LOG_FORMAT": "json", "HRIMS_ATTEMPTS": "2", "HRIMS_PAGE_TRIES": "2"}
    run = world.wait_for_end(nothing_more(world))
    events = story(world, run.id)
    assert [event["event"] for event in events if not event["event"].startswith("page_")] == [
        "run_started",
        "run_delayed",
        "run_resumed",
        "run_failed",
    ]
    by_name = {event["event"]: event for event in events}
    assert by_name["run_delayed"]["code"] == "remote_failed"
    assert by_name["run_delayed"]["seconds"] >= 0
    resumed = by_name["run_resumed"]
    assert (resumed["attempt"], resumed["pages"], resumed["saved"], resumed["percent"]) == (2, 4, 100, 41)
    assert (by_name["run_failed"]["code"], by_name["run_failed"]["failures"]) == ("remote_failed", 2)


def test_the_run_of_a_person_does_not_name_them(world: World) -> None:
    person = world.simulator.people(vote="001")[7]
    world.simulator.fail("body500", operation="202", times=1)
    run = told(world).wait_for_end(enqueue_person(world.conn, ASHA, person["zan_id"]).run_id)
    started, failed, retried, saved, ended = story(world, run.id)
    assert (started["kind"], started["identifier"]) == ("person", None)
    assert (failed["event"], failed["status"]) == ("person_failed", 200)
    assert failed["ms"] >= 0
    assert (retried["event"], retried["code"]) == ("remote_retried", "remote_failed")
    assert (saved["event"], saved["people"]) == ("page_saved", 1)
    assert (ended["outcome"], ended["saved"]) == ("complete", 1)
    assert "institution" not in ended
