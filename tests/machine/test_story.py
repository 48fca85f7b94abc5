"""The state machine over changes, faults, kills, two workers and zombies that wake."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from hrims.config import PROJECT
from hrims.register import table
from tests.flow.conftest import World
from tests.machine.house import SIZE, House
from tests.machine.queue_story import ATTEMPTS, QueueStory
from tests.machine.story import Story
from tests.scenarios.theatre import VOTES
from tests.simulated import Simulator

CALM = settings(
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    # What real processes do is never quite the same twice, so there is little to shrink.
    phases=[Phase.generate],
    print_blob=True,
)


@pytest.fixture
def house(dsn: str, tmp_path: Path) -> Iterator[House]:
    """A house without workers."""
    with (
        Simulator(sizes=dict.fromkeys(VOTES, SIZE), scale=0.02, latency_ms=8, jitter_ms=8) as remote,
        psycopg.connect(dsn, autocommit=True) as conn,
    ):
        table.seed(conn, PROJECT / "hrims" / "simulator" / "institutions.csv")
        world = World(dsn, conn, remote, tmp_path)
        yield House(world)
        world.close()


def _tell(
    house: House, chance: int, examples: int, steps: int, story: type[Story | QueueStory] = Story
) -> None:
    class Told(story):  # type: ignore[misc, valid-type] # whichever it is
        pass

    Told.house = house
    told = seed(chance)(Told)
    run_state_machine_as_test(told, settings=settings(CALM, max_examples=examples, stateful_step_count=steps))


def test_it_holds(house: House) -> None:
    _tell(house, 1, examples=4, steps=10)


@pytest.mark.chaos
@pytest.mark.timeout(900)
@pytest.mark.parametrize("chance", range(2, 12))
def test_it_holds_for_long(house: House, chance: int) -> None:
    _tell(house, chance, examples=15, steps=20)


def test_the_queue_holds(house: House) -> None:
    house.world.settings["HRIMS_ATTEMPTS"] = str(ATTEMPTS)
    _tell(house, 1, examples=3, steps=15, story=QueueStory)


@pytest.mark.chaos
@pytest.mark.timeout(900)
@pytest.mark.parametrize("chance", range(2, 8))
def test_the_queue_holds_for_long(house: House, chance: int) -> None:
    house.world.settings["HRIMS_ATTEMPTS"] = str(ATTEMPTS)
    _tell(house, chance, examples=12, steps=30, story=QueueStory)
