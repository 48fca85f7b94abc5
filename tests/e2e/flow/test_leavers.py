"""People who leave, move and come back at the remote, with a real worker and a real HRIMS' stand-in."""

from hrims.leavers import actions
from tests.support.harness import World
from tests.support.users import JUMA


def left(world: World) -> set[str]:
    """Return the ZanIDs of the leavers."""
    return {zan_id for (zan_id,) in world.rows("SELECT zan_id FROM employees WHERE left_at IS NOT NULL")}


def some(world: World, first: int, count: int) -> list[str]:
    """Return ZanIDs of people who are on the list of the ministry of health only."""
    return [one["zan_id"] for one in world.simulator.people(vote="001")[first : first + count]]


def test_who_left_moved_and_came_back(world: World) -> None:
    world.start_worker()
    gone, moved, back = some(world, 10, 3)
    world.wait_for_end(world.enqueue())
    world.simulator.remove_people(gone, moved, back)
    assert world.wait_for_end(world.enqueue()).leavers == 0
    run = world.wait_for_end(world.enqueue())
    assert (run.outcome, run.leavers, run.leavers_waiting) == ("complete", 3, 0)
    assert left(world) == {gone, moved, back}
    # One of them is on another institution's list, as in HRIMS: a new person there with that number.
    (stranger,) = world.simulator.add_people(vote="040", count=1, workplace="WIZARA YA AFYA")
    world.simulator.change_person(stranger, **{"personalInfo.zanIdNumber": moved})
    (returned,) = world.simulator.add_people(vote="001", count=1)
    world.simulator.change_person(returned, **{"personalInfo.zanIdNumber": back})
    world.wait_for_end(world.enqueue("040"))
    world.wait_for_end(world.enqueue())
    assert left(world) == {gone}
    kinds = world.rows(
        "SELECT e.zan_id, array_agg(v.kind ORDER BY v.id) FROM employee_events v"
        " JOIN employees e ON e.id = v.employee_id GROUP BY 1"
    )
    assert dict(kinds) == {
        gone: ["left"],
        moved: ["left", "came_back"],
        back: ["left", "came_back"],
    }


def test_many_at_once_wait_for_a_second_person(world: World) -> None:
    world.start_worker()
    gone = some(world, 20, 40)
    world.wait_for_end(world.enqueue())
    world.simulator.remove_people(*gone, vote="001")
    world.wait_for_end(world.enqueue())
    run = world.wait_for_end(world.enqueue())
    assert (run.outcome, run.leavers, run.leavers_waiting) == ("complete", 0, 40)
    assert left(world) == set()
    ((id_,),) = world.rows("SELECT id FROM departures WHERE state = 'waiting'")
    assert actions.approve(world.conn, JUMA, id_).leavers == 40
    assert left(world) == set(gone)
    assert actions.undo(world.conn, JUMA, id_, is_approved=True) == 40
    assert left(world) == set()


def test_a_failed_run_detects_no_leavers(world: World) -> None:
    world.start_worker()
    world.wait_for_end(world.enqueue())
    world.simulator.fail("body404", vote="001")
    for _ in range(2):
        assert world.wait_for_end(world.enqueue()).state == "failed"
    assert world.rows("SELECT sum(missed_runs) FROM listings") == [(0,)]
