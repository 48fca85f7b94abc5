"""Instances of the product: one that the tests of a module's commands share, and folders for others."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.processes.product import Product, state_folder


@pytest.fixture
def state() -> Iterator[Path]:
    """A state directory of the test's own, which does not exist yet."""
    with state_folder() as folder:
        yield folder


@pytest.fixture(scope="package")
def shared() -> Iterator[Product]:
    """An instance that is up, with a simulator that answers at once and never fails."""
    with state_folder() as folder:
        product = Product(folder).up()
        product.simulator(latency_ms=0, jitter_ms=0, failure_rate=0)
        yield product
        assert product.stop() == 0, product.all_told()
        assert product.processes() == {}
