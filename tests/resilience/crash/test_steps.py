"""kill -9 at every step of a page and of a run: no employee is lost or saved twice, and the run resumes."""

import pytest

from tests.resilience.crash.crash_child import A_PAGE, A_RUN
from tests.resilience.crash.crash_runner import Aftermath, allowed_again, killed_at, killed_at_random
from tests.support.harness import World
from tests.support.sample import sampled

NTH = 4
"""The page at which the worker dies, so that some are saved and some are in flight."""


def _is_whole(after: Aftermath) -> None:
    assert (after.run.state, after.run.people, after.lost, after.twice) == ("completed", 240, 0, 0)
    assert after.run.outcome == "complete"
    assert after.again <= allowed_again(after.kills), "more than the pages in flight was fetched again"


@pytest.mark.parametrize("step", sampled(A_PAGE, A_PAGE[::2]))
def test_a_kill_at_a_step_of_a_page(world: World, step: str) -> None:
    after = killed_at(world, step, NTH)
    _is_whole(after)
    assert after.run.attempt == 2


@pytest.mark.parametrize("step", sampled(A_RUN, A_RUN[::2]))
def test_a_kill_at_a_step_of_a_run(world: World, step: str) -> None:
    after = killed_at(world, step, 1)
    _is_whole(after)
    # No attempt is left to make where the run had ended, or none had begun.
    over = step in {"before the attempt", "ended", "before the job is finished", "job finished"}
    assert after.run.attempt == (1 if over else 2)
    world.wait_for_rows("SELECT count(*) FROM procrastinate_jobs WHERE status IN ('todo', 'doing')", [(0,)])


@pytest.mark.parametrize("step", [*A_PAGE, *A_RUN])
@pytest.mark.chaos
def test_a_kill_at_the_first_of_each(world: World, step: str) -> None:
    _is_whole(killed_at(world, step, 1))


@pytest.mark.parametrize("seed", range(1))
def test_three_kills_at_random_moments(world: World, seed: int) -> None:
    _is_whole(killed_at_random(world, seed))


@pytest.mark.chaos
@pytest.mark.parametrize("seed", range(1, 34))
def test_more_kills_at_random_moments(world: World, seed: int) -> None:
    _is_whole(killed_at_random(world, seed))
