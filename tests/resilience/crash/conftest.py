"""The fixtures of the flow tests, with settings by which a dead worker is detected soon."""

import pytest

from tests.resilience.crash.crash_runner import QUICK
from tests.support.harness import World
from tests.support.worlds import simulator
from tests.support.worlds import world as flow_world

__all__ = ["simulator", "world"]

world_of_flow = flow_world


@pytest.fixture
def world(world_of_flow: World) -> World:
    """Return a world in which a dead worker is noticed soon."""
    world_of_flow.settings |= QUICK
    return world_of_flow
