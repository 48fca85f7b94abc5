"""The simulators of these tests."""

from collections.abc import Iterator

import pytest

from tests.support.simulated import Simulator


@pytest.fixture(scope="module")
def full() -> Iterator[Simulator]:
    """Provide one simulator of the whole register for tests that change nothing."""
    with Simulator() as running:
        yield running


@pytest.fixture(scope="module")
def small() -> Iterator[Simulator]:
    """Provide one simulator for tests that reset it themselves."""
    with Simulator(sizes={"001": 250}) as running:
        yield running


@pytest.fixture
def changing() -> Iterator[Simulator]:
    """Provide a simulator whose people a test changes."""
    with Simulator(sizes={"037": 400}) as running:
        yield running


@pytest.fixture
def fresh(small: Simulator) -> Simulator:
    """Return the small simulator, behaving as at its start, with counters at nought."""
    small.reset()
    return small
