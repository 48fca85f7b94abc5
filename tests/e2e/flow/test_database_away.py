"""The database may go away and come back: the run resumes without help."""

import pytest

from tests.e2e.flow.test_run import expected_rows, saved_rows
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
    run_id = world.enqueue()
    world.simulator.wait_for(held=1)
    world.rows(CUT)
    world.simulator.release(hold)
    run = world.wait_for_end(run_id)
    assert (run.outcome, run.people) == ("complete", 240)
    assert saved_rows(world) == expected_rows(world)


def test_every_connection_is_cut_again_and_again(world: World) -> None:
    world.simulator.control(latency_ms=30)
    world.start_worker()
    run_id = world.enqueue()
    for pages in range(1, 10):
        world.wait_until(run_id, lambda run, pages=pages: run.pages >= pages or run.ended)  # type: ignore[misc] # bound now
        world.rows(CUT)
    run = world.wait_for_end(run_id)
    assert (run.outcome, run.people) == ("complete", 240)
    assert saved_rows(world) == expected_rows(world)
