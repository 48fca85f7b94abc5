"""The state machines: changes and faults of the remote, two workers that are killed, frozen and resumed."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from hrims.installation import DEMO_REGISTER
from hrims.institutions import importer
from tests.resilience.scenarios.runner import VOTES
from tests.resilience.state_machine.harness import SIZE, Harness
from tests.resilience.state_machine.queue_machine import ATTEMPTS, QueueMachine
from tests.resilience.state_machine.sync_machine import SyncMachine
from tests.support.harness import World
from tests.support.simulated import Simulator

CALM = settings(
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    # Real processes never behave the same twice, so an example cannot be shrunk.
    phases=[Phase.generate],
    print_blob=True,
)


@pytest.fixture
def harness(dsn: str, tmp_path: Path) -> Iterator[Harness]:
    """Provide a harness without workers."""
    with (
        Simulator(sizes=dict.fromkeys(VOTES, SIZE), scale=0.02, latency_ms=8, jitter_ms=8) as remote,
        psycopg.connect(dsn, autocommit=True) as conn,
    ):
        importer.seed(conn, DEMO_REGISTER)
        world = World(dsn, conn, remote, tmp_path)
        yield Harness(world)
        world.close()


def _run_machine(
    harness: Harness,
    seed_number: int,
    examples: int,
    steps: int,
    machine: type[SyncMachine | QueueMachine] = SyncMachine,
) -> None:
    class SeededMachine(machine):  # type: ignore[misc, valid-type] # one of the two
        pass

    SeededMachine.harness = harness
    run_state_machine_as_test(
        seed(seed_number)(SeededMachine),
        settings=settings(CALM, max_examples=examples, stateful_step_count=steps),
    )


def test_a_sync(harness: Harness) -> None:
    _run_machine(harness, 1, examples=4, steps=10)


@pytest.mark.chaos
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed_number", range(2, 12))
def test_a_sync_in_many_examples(harness: Harness, seed_number: int) -> None:
    _run_machine(harness, seed_number, examples=15, steps=20)


def test_the_queue(harness: Harness) -> None:
    harness.world.settings["HRIMS_ATTEMPTS"] = str(ATTEMPTS)
    _run_machine(harness, 1, examples=3, steps=15, machine=QueueMachine)


@pytest.mark.chaos
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed_number", range(2, 8))
def test_the_queue_in_many_examples(harness: Harness, seed_number: int) -> None:
    harness.world.settings["HRIMS_ATTEMPTS"] = str(ATTEMPTS)
    _run_machine(harness, seed_number, examples=12, steps=30, machine=QueueMachine)
