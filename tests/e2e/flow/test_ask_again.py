"""Asking again for the rejected, with a real worker: only their pages are fetched."""

from typing import Any

from hrims.institutions import store as institution_store
from hrims.jobs.enqueue import EnqueueResult
from hrims.rejects.actions import retry_rejects
from tests.support.harness import World
from tests.support.users import ASHA

BAD = {"personalInfo.birthDate": "yesterday"}
GOOD = {"personalInfo.birthDate": "1990-09-17T00:00:00"}


def again(world: World) -> EnqueueResult:
    """Asks again for the rejected of the ministry of health."""
    found = institution_store.find_institution_by(world.conn, "votecode", "001")
    assert found
    return retry_rejects(world.conn, ASHA, found.id, "votecode")


def cases(world: World) -> list[Any]:
    return world.rows("SELECT place, code, times, closed_run_id FROM reject_cases ORDER BY place")


def broken(world: World, *places: int) -> list[str]:
    """Break the records at these places; return their ZanIDs."""
    zan_ids = [world.simulator.people(vote="001")[place]["zan_id"] for place in places]
    for zan_id in zan_ids:
        world.simulator.change_person(zan_id, **BAD)
    return zan_ids


def test_it_works(world: World) -> None:
    """Of three one comes right, one stays, and one has gone."""
    right, _, gone = broken(world, 31, 32, 150)
    world.start_worker()
    whole = world.wait_for_end(world.enqueue())
    assert (whole.outcome, whole.rejected) == ("complete", 3)
    world.simulator.change_person(right, **GOOD)
    world.simulator.remove_people(gone, vote="001")
    before = world.simulator.counters()["requests"]
    run = world.wait_for_end(again(world).run_id)
    assert world.simulator.counters()["requests"] - before == 2
    assert world.simulator.request_counts(key="001", size=10) == {3: 1, 15: 1}
    assert (run.kind, run.outcome, run.missing) == ("rejected", "incomplete", 1)
    assert (run.asked_again, run.came_right, run.new) == (3, 1, 1)
    assert run.message == (
        "Fetched 3 rejected records again: 1 corrected, 1 still rejected, 1 not found where last seen, "
        "and left open. Fetch the whole institution to find them."
    )
    assert cases(world) == [
        (31, "bad_date", 1, run.id),
        (32, "bad_date", 2, None),
        (150, "bad_date", 1, None),
    ]
    assert world.rows("SELECT count(*) FROM employees WHERE zan_id = '" + right + "'") == [(1,)]


def test_when_all_come_right_it_is_complete_and_claims_no_more(world: World) -> None:
    zan_ids = broken(world, 0, 239)
    world.start_worker()
    world.wait_for_end(world.enqueue())
    for zan_id in zan_ids:
        world.simulator.change_person(zan_id, **GOOD)
    run = world.wait_for_end(again(world).run_id)
    assert (run.outcome, run.people, run.missing) == ("complete", 20, 0)
    assert run.message == "Fetched 2 rejected records again: 2 corrected, 0 still rejected."
    assert world.rows("SELECT run_id FROM run_drift") == [(run.id - 1,)]


def test_a_record_that_broke_hrims_is_asked_for_alone(world: World) -> None:
    world.simulator.control(poison=[{"vote": "001", "index": 57}])
    world.start_worker()
    world.wait_for_end(world.enqueue())
    assert cases(world) == [(57, "remote_breaks", 1, None)]
    still = world.wait_for_end(again(world).run_id)
    assert (still.outcome, still.rejected, still.came_right) == ("complete", 1, 0)
    assert cases(world) == [(57, "remote_breaks", 2, None)]
    world.simulator.control(poison=[])
    before = world.simulator.request_counts(key="001", size=1)[57]
    run = world.wait_for_end(again(world).run_id)
    assert world.simulator.request_counts(key="001", size=1)[57] == before + 1
    assert (run.outcome, run.came_right, run.new) == ("complete", 1, 1)
    assert cases(world) == [(57, "remote_breaks", 2, run.id)]


def test_a_worker_that_dies_in_it_loses_nothing(world: World) -> None:
    right, other = broken(world, 31, 150)
    first = world.start_worker()
    world.wait_for_end(world.enqueue())
    for zan_id in (right, other):
        world.simulator.change_person(zan_id, **GOOD)
    world.simulator.hold(page=15, size=10)
    run_id = again(world).run_id
    world.wait_until(run_id, lambda run: run.saved == 10)
    world.simulator.wait_for(held=1)
    first.kill()
    first.wait()
    world.simulator.release()
    world.start_worker()
    run = world.wait_for_end(run_id)
    assert (run.outcome, run.attempt, run.came_right, run.new) == ("complete", 2, 2, 2)
    assert world.simulator.request_counts(key="001", size=10)[3] == 1


def test_a_listing_that_became_short_is_no_trouble(world: World) -> None:
    broken(world, 235)
    world.start_worker()
    world.wait_for_end(world.enqueue())
    gone = [one["zan_id"] for one in world.simulator.people(vote="001")[100:]]
    world.simulator.remove_people(*gone, vote="001")
    run = world.wait_for_end(again(world).run_id)
    assert (run.outcome, run.missing) == ("incomplete", 1)
    assert cases(world) == [(235, "bad_date", 1, None)]
