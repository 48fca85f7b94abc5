"""Whatever HRIMS answers, the attempt fails in words or the record is rejected, and what was saved stays."""

import re

import pytest

from tests.e2e.flow.test_run import nothing_more
from tests.support.harness import World
from tests.support.sample import sampled

SHORT = {
    "HRIMS_READ_TIMEOUT": "0.5",
    "HRIMS_REQUEST_TIMEOUT": "2",
    "HRIMS_MAX_RESPONSE_MB": "1",
    "HRIMS_PAGE_TRIES": "2",
    "HRIMS_ATTEMPTS": "2",
}

BAD = {
    "html": "remote_garbled",
    "half_json": "remote_garbled",
    "empty": "remote_garbled",
    "data_null": "remote_garbled",
    "data_text": "remote_garbled",
    "wrong_page_number": "remote_garbled",
    "too_many_records": "remote_garbled|remote_too_large",
    "endless": "remote_too_large|remote_timeout",
    "timeout": "remote_timeout",
    "closed": "remote_unreachable",
    "http503": "remote_failed",
    "body500": "remote_failed",
}
"""Each kind of bad answer, and what the run calls it."""

SAMPLE = {"closed"}
"""The client's tests have the code of each kind, tests/database/test_bad_answers.py has answers with a wrong
body without processes, and test_run.py has ``body500``.
"""

OF_CONNECTIONS = {"closed", "timeout"}
"""tests/database/test_bad_answers.py has the others, without processes."""

MISREAD = {kind for kind, code in BAD.items() if code == "remote_garbled"}
"""Answers that are no answer: the record may be well, and is missing."""


@pytest.mark.parametrize("kind", sampled(BAD, SAMPLE))
def test_nothing_but_bad_answers_fails_the_run_in_words_and_keeps_what_it_saved(
    world: World, kind: str
) -> None:
    world.settings |= SHORT
    details = {"tiny": True} if kind == "too_many_records" else {}
    run = world.wait_for_end(nothing_more(world, kind, **details))
    assert (run.state, run.attempt, run.saved) == ("failed", 2, 100)
    assert re.fullmatch(BAD[kind], run.trouble_code or ""), run.trouble_code
    assert run.message.startswith("Failed: ")
    assert "Traceback" not in run.message
    assert "HRIMS" in run.message
    assert world.rows("SELECT count(*) FROM employees") == [(100,)]


@pytest.mark.parametrize("kind", sampled(sorted(BAD.keys() - {"too_many_records"}), OF_CONNECTIONS))
def test_a_record_that_breaks_its_page_costs_no_other_record(world: World, kind: str) -> None:
    world.settings |= SHORT
    world.simulator.control(poison=[{"vote": "001", "index": 80}], poison_kind=kind)
    world.start_worker()
    run = world.wait_for_end(world.enqueue())
    assert world.rows("SELECT count(*) FROM employees") == [(239,)]
    if kind in MISREAD:
        assert (run.outcome, run.missing, run.rejected) == ("incomplete", 1, 0)
        assert "record 81 of its list" in run.message
    else:
        assert (run.outcome, run.missing, run.rejected) == ("complete", 0, 1)


def test_wrong_types_in_a_record_reject_that_record_alone(world: World) -> None:
    world.simulator.fail("wrong_types", page=3, times=1, index=4, path="personalInfo.birthDate", value=[1])
    world.start_worker()
    run = world.wait_for_end(world.enqueue())
    assert (run.outcome, run.people, run.rejected) == ("complete", 239, 1)
    assert world.rows("SELECT page_number, position, code FROM rejects") == [(3, 4, "wrong_type")]


def test_a_page_that_comes_twice_is_noticed_and_asked_for_again(world: World) -> None:
    """HRIMS answers page 1 with the people of page 0, which is always had before."""
    world.simulator.fail("repeat_page", page=1, times=1)
    world.start_worker()
    run = world.wait_for_end(world.enqueue())
    assert (run.outcome, run.people, run.seen_twice) == ("complete", 240, 0)


def test_a_page_that_always_comes_twice_is_not_believed(world: World) -> None:
    """Whatever the page size, HRIMS answers from page 3 on with the people of the page before."""
    for number in range(3, 250):
        world.simulator.fail("repeat_page", page=number)
    world.settings |= SHORT
    world.start_worker()
    run = world.wait_for_end(world.enqueue())
    saved = world.rows("SELECT count(*) FROM employees")[0][0]
    assert run.state == "completed"
    # The page behind the end may give the last people: then all were met, and the run may say so.
    assert (run.outcome == "incomplete") == (saved < 240)
    assert run.people == saved


def test_a_short_page_is_asked_for_again(world: World) -> None:
    world.simulator.fail("short_page", page=9, times=1)
    world.start_worker()
    run = world.wait_for_end(world.enqueue())
    assert (run.outcome, run.people) == ("complete", 240)
