"""Whatever HRIMS answers, the attempt fails in words or the record is rejected, and what was saved stays."""

import re
from typing import Any

import pytest

from hrims.follow.progress import Run
from tests.flow.conftest import World

SHORT = {
    "HRIMS_READ_TIMEOUT": "1",
    "HRIMS_REQUEST_TIMEOUT": "2",
    "HRIMS_MAX_RESPONSE_MB": "1",
    "HRIMS_PAGE_TRIES": "2",
    "HRIMS_ATTEMPTS": "2",
}

BAD: list[tuple[str, dict[str, Any], str]] = [
    ("html", {}, "remote_garbled"),
    ("half_json", {}, "remote_garbled"),
    ("empty", {}, "remote_garbled"),
    ("data_null", {}, "remote_garbled"),
    ("data_text", {}, "remote_garbled"),
    ("wrong_page_number", {}, "remote_garbled"),
    ("too_many_records", {"tiny": True}, "remote_garbled|remote_too_large"),
    ("endless", {}, "remote_too_large|remote_timeout"),
    ("timeout", {}, "remote_timeout"),
    ("closed", {}, "remote_unreachable"),
    ("http503", {}, "remote_failed"),
    ("body500", {}, "remote_failed"),
]


def _fail(world: World, kind: str, details: dict[str, Any]) -> Run:
    world.settings |= SHORT
    world.simulator.fail(kind, page=3, times=1000, **details)
    world.start_worker()
    return world.until_ended(world.ask())


@pytest.mark.parametrize(("kind", "details", "code"), BAD, ids=[kind for kind, _, _ in BAD])
def test_the_run_fails_in_words_and_keeps_what_it_saved(
    world: World, kind: str, details: dict[str, Any], code: str
) -> None:
    run = _fail(world, kind, details)
    assert (run.state, run.attempt, run.saved) == ("failed", 2, 75)
    assert re.fullmatch(code, run.trouble_code or ""), run.trouble_code
    assert run.message.startswith("Failed: ")
    assert "Traceback" not in run.message
    assert "HRIMS" in run.message
    assert world.rows("SELECT count(*) FROM employees") == [(75,)]
    asked = world.simulator.asked(key="001")
    assert [asked[page] for page in range(3)] == [1, 1, 1], "saved pages were asked for again"


def test_wrong_types_in_a_record_reject_that_record_alone(world: World) -> None:
    world.simulator.fail("wrong_types", page=3, times=1, index=4, path="personalInfo.birthDate", value=[1])
    world.start_worker()
    run = world.until_ended(world.ask())
    assert (run.outcome, run.people, run.rejected) == ("complete", 239, 1)
    assert world.rows("SELECT page_number, position, code FROM rejects") == [(3, 4, "wrong_type")]


def test_a_page_that_comes_twice_loses_nobody_in_silence(world: World) -> None:
    """HRIMS answers page 4 with the people of page 3: they are seen twice, and others are missing."""
    world.simulator.fail("repeat_page", page=4, times=1)
    world.start_worker()
    run = world.until_ended(world.ask())
    assert (run.outcome, run.missing, run.people) == ("incomplete", 25, 215)
    assert run.seen_twice == 25
