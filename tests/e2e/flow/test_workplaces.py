"""The appointing authority's list, most of which work elsewhere, some at names that the register lacks: they
are saved, mapped once, moved at once, and filed rightly by every later run; no two runs fight over anybody.
"""

from typing import Any

from hrims.access.scope import EVERYTHING
from hrims.institutions import store as institution_store
from hrims.institutions.workplaces import actions, store
from tests.support.harness import World
from tests.support.users import ASHA, BINTI

ROWS = "SELECT zan_id, xmin::text FROM employees ORDER BY zan_id"

CHANGES = "SELECT count(*) FROM employee_changes"

LISTINGS = """
SELECT i.vote_code, l.since_run_id, count(*) FROM listings l JOIN institutions i ON i.id = l.institution_id
GROUP BY 1, 2 ORDER BY 1
"""


def where(world: World, *votes: str) -> dict[str, str | None]:
    """Return the institution where each person works as the simulator tells it, by ZanID."""
    people = [one for vote in votes for one in world.simulator.people(vote=vote)]
    return {one["zan_id"]: one["institution"] for one in people if one["zan_id"]}


def filed(world: World) -> dict[str, str | None]:
    """Return the institution at which each person is filed."""
    return dict(world.rows("SELECT zan_id, institution FROM employees_v"))


def waiting(world: World) -> list[store.Workplace]:
    """Every workplace that waits."""
    return store.list_waiting(world.conn, EVERYTHING, "", limit=1000, offset=0)


def decide_all(world: World, truth: dict[str, str | None]) -> int:
    """Map each workplace that waits to its institution, or register it; return how many moved."""
    known = {one.name: one.id for one in institution_store.list_institutions(world.conn, EVERYTHING)}
    moved = 0
    for one in waiting(world):
        [(zan_id,)] = world.rows(f"SELECT zan_id FROM employees WHERE workplace_id = {one.id} LIMIT 1")
        meant = truth[zan_id]
        done = (
            actions.map_workplace(world.conn, ASHA, one.id, known[meant])
            if meant
            else actions.register_workplace(world.conn, BINTI, one.id)
        )
        moved += done.moved
    return moved


def test_it_works(world: World) -> None:
    world.start_worker()
    first = world.wait_for_end(world.enqueue("037", page_size=100))
    truth = where(world, "037")
    unknown = {one.name: one.people for one in waiting(world)}
    [hospital] = [name for name in unknown if name.lower().startswith("hospitali")]
    assert unknown[hospital] > 20
    assert (
        sum(unknown.values()) == first.unmatched - store.count_without_workplace(world.conn, EVERYTHING) > 60
    )
    assert all(filed(world)[zan_id] in {None, there} for zan_id, there in truth.items())
    moved = decide_all(world, truth)
    assert moved == sum(unknown.values())
    assert world.rows("SELECT count(*), count(DISTINCT employee_id) FROM employee_changes") == [
        (moved, moved)
    ]
    at_home = {zan_id: there for zan_id, there in filed(world).items() if truth[zan_id]}
    assert at_home == {zan_id: there for zan_id, there in truth.items() if there}
    assert world.rows("SELECT count(*) FROM employees WHERE institution_id IS NULL") == [
        (store.count_without_workplace(world.conn, EVERYTHING),)
    ]
    before, changes = world.rows(ROWS), world.rows(CHANGES)
    again = world.wait_for_end(world.enqueue("037", page_size=100))
    assert (again.new, again.changed, again.unmatched) == (
        0,
        0,
        store.count_without_workplace(world.conn, EVERYTHING),
    )
    assert (world.rows(ROWS), world.rows(CHANGES)) == (before, changes)
    [known] = world.simulator.add_people(vote="037", count=1, workplace="HOSPITALI  KUU ya Pwani Mchangani.")
    world.wait_for_end(world.enqueue("037", page_size=100))
    assert filed(world)[known] == hospital
    assert world.rows(CHANGES) == changes


def listed_by_both(world: World) -> set[Any]:
    """Check the people that both institutions list."""
    own, others = ({one["zan_id"] for one in world.simulator.people(vote=vote)} for vote in ("001", "037"))
    return own & others


def test_two_runs_that_list_the_same_people_one_after_the_other_do_not_fight(world: World) -> None:
    world.start_worker()
    both = listed_by_both(world)
    assert len(both) > 5
    for vote in ("037", "001"):
        world.wait_for_end(world.enqueue(vote, page_size=50))
    decide_all(world, truth := where(world, "037", "001"))
    assert all(filed(world)[zan_id] == there for zan_id, there in truth.items() if there)
    before, listings = world.rows(ROWS), world.rows(LISTINGS)
    assert [(vote, people) for vote, _, people in listings] == [("001", 240), ("037", 320)]
    for vote in ("001", "037", "001"):
        run = world.wait_for_end(world.enqueue(vote, page_size=50))
        assert (run.outcome, run.new, run.changed) == ("complete", 0, 0)
    assert (world.rows(ROWS), world.rows(LISTINGS)) == (before, listings)


def test_two_runs_that_list_the_same_people_at_once_do_not_fight(world: World) -> None:
    """Both runs wait with their pages in hand, and then save them at the same time."""
    both = listed_by_both(world)
    for _ in range(2):
        held = world.simulator.hold(page=3)
        if not world.workers:
            world.start_worker()
        requested = [world.enqueue(vote, page_size=25) for vote in ("037", "001")]
        world.simulator.wait_for(held=2)
        world.simulator.release(held)
        ended = [world.wait_for_end(run_id) for run_id in requested]
        assert [run.outcome for run in ended] == ["complete", "complete"]
        if not world.rows("SELECT FROM workplaces WHERE matched_by = 'alias' LIMIT 1"):
            decide_all(world, truth := where(world, "037", "001"))
            before = world.rows(ROWS)
    assert [(run.new, run.changed) for run in ended] == [(0, 0), (0, 0)]
    assert world.rows(ROWS) == before
    assert all(filed(world)[zan_id] == there for zan_id, there in truth.items() if there)
    twice = "SELECT count(*) FROM (SELECT FROM listings GROUP BY employee_id HAVING count(*) = 2) shared"
    assert world.rows(twice) == [(len(both),)]
