"""The database may go away and come back: the run goes on by itself."""

import pytest

from tests.flow.conftest import World
from tests.flow.test_run import expected, kept

CUT = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.mark.parametrize("page", [0, 3, 9])
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
