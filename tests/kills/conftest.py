"""The worlds in which workers are killed: those of the flow tests, with still shorter silences."""

import pytest

from tests.flow.conftest import World, simulator
from tests.flow.conftest import world as flow_world
from tests.kills.stage import QUICK

__all__ = ["simulator", "world"]

world_of_flow = flow_world


@pytest.fixture
def world(world_of_flow: World) -> World:
    """A world in which a dead worker is noticed soon."""
    world_of_flow.settings |= QUICK
    return world_of_flow
