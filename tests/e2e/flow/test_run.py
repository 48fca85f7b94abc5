"""A run from the request to its outcome, with a worker, the simulator and Postgres."""

import signal
from typing import Any

import pytest

from hrims.employees.fields import COLUMNS
from hrims.jobs import control
from tests.support.harness import World
from tests.support.sample import sampled
from tests.support.users import ASHA

TOTAL_REQUESTS = 1
"""Requests at the end of a run: the total is requested once more, with a page."""

ALL = f"SELECT {', '.join(COLUMNS)} FROM employees ORDER BY zan_id"


def expected_rows(world: World, vote: str = "001") -> list[tuple[Any, ...]]:
    """Return the rows that the simulator expects for its people."""
    people = [one for one in world.simulator.people(vote=vote) if one["zan_id"]]
    return sorted(tuple(one[column] for column in COLUMNS) for one in people)


def saved_rows(world: World) -> list[tuple[Any, ...]]:
    """Return the rows in the database, dates as the simulator writes them."""
    return [
        tuple(value.isoformat() if hasattr(value, "isoformat") else value for value in row)
        for row in world.rows(ALL)
    ]


def test_it_works_and_everybody_is_there_as_they_should_be(world: World) -> None:
    world.start_worker()
    run = world.wait_for_end(world.enqueue())
    assert (run.state, run.outcome, run.people, run.missing) == ("completed", "complete", 240, 0)
    assert saved_rows(world) == expected_rows(world)
    world.wait_for_rows("SELECT status::text FROM procrastinate_jobs", [("succeeded",)])


def test_a_second_run_changes_what_changed_and_nothing_else(world: World) -> None:
    world.start_worker()
    world.wait_for_end(world.enqueue())
    before = dict(world.rows("SELECT zan_id, xmin::text FROM employees"))
    changed = world.simulator.people(vote="001")[7]["zan_id"]
    world.simulator.change_person(changed, **{"personalInfo.primaryPhone": "0770000001"})
    run = world.wait_for_end(world.enqueue())
    assert (run.new, run.changed, run.unchanged) == (0, 1, 239)
    after = dict(world.rows("SELECT zan_id, xmin::text FROM employees"))
    assert [zan_id for zan_id in before if before[zan_id] != after[zan_id]] == [changed]
    assert saved_rows(world) == expected_rows(world)


def test_pages_that_fail_are_asked_for_again_within_the_run(world: World) -> None:
    world.simulator.fail("body500", page=2, times=2)
    world.simulator.fail("reset", page=5, times=1)
    world.simulator.fail("html", page=6, times=1)
    world.start_worker()
    run = world.wait_for_end(world.enqueue())
    assert (run.outcome, run.attempt, run.people) == ("complete", 1, 240)
    assert world.simulator.request_counts(key="001")[2] == 3


def nothing_more(world: World, kind: str = "body500", times: int = 1000, **details: Any) -> int:
    """Start a run of which HRIMS answers four pages, and then so many times none, though it is there."""
    world.simulator.hold(after=4)
    world.start_worker()
    run_id = world.enqueue()
    world.simulator.wait_for(held=4)
    world.wait_until(run_id, lambda run: run.saved == 100)
    world.simulator.fail(kind, operation="204", times=times, **details)
    world.simulator.release()
    return run_id


def test_an_attempt_that_fails_is_followed_by_one_that_goes_on_where_it_stopped(world: World) -> None:
    run = world.wait_for_end(nothing_more(world, times=60))
    assert (run.outcome, run.attempt, run.people) == ("complete", 2, 240)
    ended = world.rows("SELECT number, ended_as, trouble_code FROM run_attempts ORDER BY number")
    assert ended == [(1, "failed", "remote_failed"), (2, "finished", None)]
    saved_first = [number for (number,) in world.rows("SELECT page_number FROM run_pages WHERE attempt = 1")]
    answered = world.simulator.response_counts(key="001", size=25)
    assert saved_first
    again = sum(answered[number] for number in saved_first) - len(saved_first)
    assert again <= TOTAL_REQUESTS, "saved pages were asked for again"


def test_a_run_whose_attempts_are_spent_has_failed_and_keeps_what_it_saved(world: World) -> None:
    run = world.wait_for_end(nothing_more(world))
    assert (run.state, run.attempt, run.saved) == ("failed", 3, 100)
    assert "100 people saved so far stay" in run.message
    assert world.rows("SELECT count(*) FROM employees") == [(100,)]
    world.wait_for_rows("SELECT status::text FROM procrastinate_jobs", [("failed",)])


@pytest.mark.parametrize("kind", sampled(["body500", "reset"], {"body500"}))
def test_a_record_that_breaks_every_page_it_is_on_costs_itself_alone(world: World, kind: str) -> None:
    world.simulator.control(poison=[{"vote": "001", "index": 107}], poison_kind=kind)
    world.start_worker()
    run = world.wait_for_end(world.enqueue())
    assert (run.outcome, run.attempt, run.people, run.rejected) == ("complete", 1, 239, 1)
    rejects = world.rows("SELECT page_size * page_number + position, code FROM rejects")
    assert rejects == [(107, "remote_breaks")]
    assert world.simulator.counters()["requests"] < 80


def test_a_broken_record_is_not_requested_again_when_the_edges_are_read(world: World) -> None:
    world.settings["HRIMS_EDGES_AFTER"] = "0"
    world.simulator.control(poison=[{"vote": "001", "index": 107}])
    world.start_worker()
    run = world.wait_for_end(world.enqueue())
    assert (run.outcome, run.people, run.rejected) == ("complete", 239, 1)
    assert world.rows("SELECT count(*) > 0 FROM run_pages WHERE reading = 2") == [(True,)]
    assert world.simulator.request_counts(key="001", size=1)[107] <= 6
    assert world.simulator.counters()["failures"]["poison"] <= 3 + 2 + 6, (
        "tries of 25, of 5, and of one record"
    )


@pytest.mark.parametrize("kind", ["wrong_total", "html"])
def test_a_fault_of_every_page_costs_few_requests_and_is_told(world: World, kind: str) -> None:
    world.settings["HRIMS_ATTEMPTS"] = "1"
    world.simulator.fail(kind, operation="204")
    world.start_worker()
    run = world.wait_for_end(world.enqueue())
    assert (run.state, run.trouble_code) == ("failed", "remote_garbled")
    assert "3 pages had this fault, and none was answered" in run.message
    assert world.simulator.counters()["requests"] <= 9 + 4


def test_a_page_that_is_too_large_for_hrims_is_requested_in_smaller_ones(world: World) -> None:
    world.simulator.fail("http413", size=25)
    world.start_worker()
    run = world.wait_for_end(world.enqueue())
    assert (run.outcome, run.attempt, run.people) == ("complete", 1, 240)
    assert sum(world.simulator.request_counts(key="001", size=25).values()) == 1


def test_wrong_credentials_end_the_run_at_once(world: World) -> None:
    world.simulator.control(credentials="wrong")
    world.start_worker()
    run = world.wait_for_end(world.enqueue())
    assert (run.state, run.attempt, run.trouble_code) == ("failed", 1, "remote_credentials")
    assert world.simulator.counters()["requests"] == 1


def test_a_vote_code_that_hrims_does_not_know_ends_the_run_at_once(world: World) -> None:
    world.conn.execute("UPDATE institutions SET vote_code = '999' WHERE vote_code = '001'")
    world.start_worker()
    run = world.wait_for_end(world.enqueue("999"))
    assert (run.state, run.attempt, run.trouble_code) == ("failed", 1, "remote_unknown")


def test_records_that_cannot_be_kept_are_counted_and_the_run_is_complete(world: World) -> None:
    zan_ids = [one["zan_id"] for one in world.simulator.people(vote="001")]
    world.simulator.change_person(zan_ids[30], **{"personalInfo.firstName": 5})
    world.simulator.change_person(zan_ids[31], **{"personalInfo.birthDate": "yesterday"})
    world.start_worker()
    run = world.wait_for_end(world.enqueue())
    assert (run.outcome, run.people, run.rejected) == ("complete", 238, 2)
    rejects = world.rows("SELECT page_number, position, code FROM rejects ORDER BY position")
    assert rejects == [(1, 5, "wrong_type"), (1, 6, "bad_date")]


def test_a_total_that_is_never_reached_makes_the_run_incomplete(world: World) -> None:
    """HRIMS says 250, and gives 240."""
    world.simulator.fail("wrong_total", total=250)
    world.start_worker()
    run = world.wait_for_end(world.enqueue())
    assert (run.state, run.outcome, run.missing) == ("completed", "incomplete", 10)
    assert "10 of 250 are missing" in run.message
    assert "records 241 to 250" in run.message
    assert world.rows("SELECT count(*) FROM employees") == [(240,)]


def test_who_went_does_not_hide_who_was_not_met(world: World) -> None:
    """A removal moves everybody behind it up by one: one person moves from the awaited page to one that is
    saved, and the sum would add up all the same, with the one who went in place of the one not met.
    """
    hold = world.simulator.hold(page=5)
    world.start_worker()
    run_id = world.enqueue()
    world.simulator.wait_for(held=1)
    gone = world.simulator.people(vote="001")[7]["zan_id"]
    world.simulator.remove_people(gone, vote="001")
    world.simulator.release(hold)
    run = world.wait_for_end(run_id)
    assert (run.outcome, run.missing) == ("complete_after_repair", 0)
    assert set(expected_rows(world)) <= set(saved_rows(world))


def test_procrastinates_own_worker_runs_runs_too(world: World) -> None:
    world.start_worker("procrastinate", "--app=hrims.jobs.queue.app", "worker")
    assert world.wait_for_end(world.enqueue()).outcome == "complete"


def test_a_run_that_is_cancelled_saves_nothing_more(world: World) -> None:
    world.simulator.hold(after=4)
    world.start_worker()
    run_id = world.enqueue()
    world.wait_until(run_id, lambda run: run.saved == 100)
    world.simulator.wait_for(held=4)
    control.cancel(world.conn, ASHA, run_id)
    world.simulator.release()
    after = world.enqueue()
    assert world.wait_for_end(after).outcome == "complete"
    run = world.run(run_id)
    assert (run.state, run.saved) == ("cancelled", 100)


def test_a_worker_that_is_asked_to_stop_hands_its_run_back(world: World) -> None:
    world.simulator.hold(page=4)
    first = world.start_worker()
    run_id = world.enqueue()
    world.simulator.wait_for(held=1)
    first.send_signal(signal.SIGTERM)
    assert first.wait(30) == 0
    assert world.run(run_id).state == "waiting"
    assert world.rows("SELECT ended_as FROM run_attempts") == [("handed_back",)]
    world.simulator.release()
    world.start_worker()
    run = world.wait_for_end(run_id)
    assert (run.outcome, run.attempt) == ("complete", 2)
    assert world.rows("SELECT failures, rescues FROM runs") == [(0, 0)]
    assert max(world.simulator.response_counts(key="001").values()) <= 2


@pytest.mark.parametrize("vote", ["040", "037"])
def test_other_institutions_come_out_as_they_should(world: World, vote: str) -> None:
    world.start_worker()
    run = world.wait_for_end(world.enqueue(vote, page_size=100))
    assert run.outcome == "complete"
    assert saved_rows(world) == expected_rows(world, vote)
