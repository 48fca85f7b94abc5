"""The worlds in which workers are killed: those of the flow tests, with still shorter silences."""

import pytest

from tests.e2e.flow.conftest import simulator
from tests.e2e.flow.conftest import world as flow_world
from tests.resilience.crash.crash_runner import QUICK
from tests.support.harness import World

__all__ = ["simulator", "world"]

world_of_flow = flow_world


@pytest.fixture
def world(world_of_flow: World) -> World:
    """Return a world in which a dead worker is noticed soon."""
    world_of_flow.settings |= QUICK
    return world_of_flow
