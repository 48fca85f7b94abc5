"""One person by ZanID or payroll number, with a real worker and a real HRIMS' stand-in."""

from typing import Any

from hrims.jobs.enqueue_person import enqueue_person
from hrims.runs.model import Run
from tests.support.harness import World
from tests.support.users import ASHA


def bring(world: World, key: str) -> Run:
    """Asks for a person and waits for the run's end."""
    return world.wait_for_end(enqueue_person(world.conn, ASHA, key).run_id)


def person_of_list(world: World) -> dict[str, Any]:
    return world.simulator.people(vote="001")[7]


def test_it_works(world: World) -> None:
    world.start_worker()
    one = person_of_list(world)
    run = bring(world, one["zan_id"])
    assert (run.state, run.outcome, run.new, run.people, run.leavers) == ("completed", "complete", 1, 1, 0)
    assert run.message == "Complete: the HRIMS record of this person is saved."
    rows = world.rows("SELECT name, phone_number, institution FROM employees_v")
    assert rows == [(one["name"], one["phone_number"], one["institution"])]
    assert world.rows("SELECT count(*) FROM listings") == [(0,)]
    world.simulator.change_person(one["zan_id"], **{"personalInfo.primaryPhone": "0770000001"})
    again = bring(world, one["payroll_number"])
    assert (again.new, again.changed) == (0, 1)
    assert world.rows("SELECT run_id, changes FROM employee_changes") == [
        (again.id, {"phone_number": [one["phone_number"], "0770000001"]})
    ]
    assert bring(world, one["zan_id"]).unchanged == 1
    assert world.simulator.counters()["requests"] == 3


def test_their_numbers_are_in_no_log(world: World) -> None:
    world.settings["HRIMS_LOG_LEVEL"] = "debug"
    world.start_worker()
    one = person_of_list(world)
    world.simulator.fail("body500", operation="202", times=2)
    bring(world, one["zan_id"])
    bring(world, one["payroll_number"])
    bring(world, "99999999")
    logs = "\n".join(log.read_text() for log in world.folder.glob("worker-*.log"))
    for secret in (one["zan_id"], one["name"], "99999999", f"'{one['payroll_number']}'"):
        assert secret not in logs


def test_an_unknown_number_fails_with_a_message_and_changes_nothing(world: World) -> None:
    world.start_worker()
    one = person_of_list(world)
    bring(world, one["zan_id"])
    world.simulator.remove_people(one["zan_id"])
    before = world.rows("SELECT * FROM employees")
    run = bring(world, one["zan_id"])
    assert (run.state, run.attempt, run.trouble_code) == ("failed", 1, "remote_unknown")
    assert (
        run.message == "Failed: HRIMS has no employee with this ZanID or payroll number. Nothing was changed."
    )
    assert world.rows("SELECT * FROM employees") == before
    assert world.rows("SELECT count(*) FROM employee_events") == [(0,)]


def test_a_record_without_a_key_is_a_reject(world: World) -> None:
    world.start_worker()
    one = person_of_list(world)
    world.simulator.change_person(one["zan_id"], **{"personalInfo.zanIdNumber": None})
    run = bring(world, one["payroll_number"])
    assert (run.outcome, run.people, run.rejected) == ("complete", 0, 1)
    assert "cannot be saved" in run.message
    assert world.rows("SELECT code, page_number, position FROM rejects") == [("no_zan_id", 0, 0)]


def test_failures_are_tried_again_and_a_place_is_taken(world: World) -> None:
    world.settings["HRIMS_MAX_IN_FLIGHT"] = "1"
    world.simulator.fail("timeout", operation="202", times=1, seconds=0)
    world.simulator.fail("body500", operation="202", times=2)
    world.start_worker()
    run = bring(world, person_of_list(world)["zan_id"])
    assert (run.outcome, run.attempt) == ("complete", 1)
    assert world.rows("SELECT count(*) FROM remote_slots WHERE until > now()") == [(0,)]


def test_a_leaver_that_hrims_still_returns_stays_a_leaver(world: World) -> None:
    """A person that HRIMS returns does not join a list because of that."""
    world.start_worker()
    one = person_of_list(world)
    world.wait_for_end(world.enqueue())
    world.conn.execute(
        "UPDATE listings SET missed_runs = 2, missed_since_run_id = 1, ended_at = now(), ended_run_id = 1"
        " WHERE employee_id = (SELECT id FROM employees WHERE zan_id = %s)",
        (one["zan_id"],),
    )
    world.conn.execute(
        "UPDATE employees SET left_at = now(), left_run_id = 1 WHERE zan_id = %s", (one["zan_id"],)
    )
    assert bring(world, one["zan_id"]).outcome == "complete"
    assert world.rows("SELECT count(*) FROM employees WHERE left_at IS NOT NULL") == [(1,)]
