"""The database may go away and come back: the run resumes without help."""

import pytest

from tests.e2e.flow.test_run import expected, kept
from tests.support.harness import World
from tests.support.sample import sampled

CUT = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.mark.parametrize("page", sampled([0, 3, 9], {0}))
def test_every_connection_is_cut_while_a_page_is_awaited(world: World, page: int) -> None:
    hold = world.simulator.hold(page=page)
    world.start_worker()
    run_id = world.ask()
    world.simulator.wait_for(held=1)
    world.rows(CUT)
    world.simulator.release(hold)
    run = world.until_ended(run_id)
    assert (run.outcome, run.people) == ("complete", 240)
    assert kept(world) == expected(world)


def test_every_connection_is_cut_again_and_again(world: World) -> None:
    world.simulator.control(latency_ms=30)
    world.start_worker()
    run_id = world.ask()
    for pages in range(1, 10):
        world.until(run_id, lambda run, pages=pages: run.pages >= pages or run.ended)  # type: ignore[misc] # bound now
        world.rows(CUT)
    run = world.until_ended(run_id)
    assert (run.outcome, run.people) == ("complete", 240)
    assert kept(world) == expected(world)
