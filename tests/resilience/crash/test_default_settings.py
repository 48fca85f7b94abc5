"""With the settings as they come, a run whose worker was killed goes on within 45 seconds."""

import pytest

from tests.resilience.crash.crash_runner import as_they_come, killed_at
from tests.support.harness import World


@pytest.mark.chaos
@pytest.mark.parametrize("step", ["answered", "before the commit", "committed"])
def test_the_run_goes_on_within_45_seconds(world: World, step: str) -> None:
    as_they_come(world)
    after = killed_at(world, step, 4)
    assert (after.run.outcome, after.lost, after.twice) == ("complete", 0, 0)
    assert max(after.seconds) <= 45
