"""Instances of the product: one that the tests of a module's commands share, and folders for others."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from hrims.migrate import migrate
from hrims.postgres import locks
from tests.e2e.processes.product import Product, copy_state, env_of, run, state_folder
from tests.support.databases import clone
from tests.support.shared import shared_by_processes, state_directory, wait_until_stopped


@pytest.fixture
def dsn(owner_dsn: str) -> str:
    """Return the DSN of the owner, as an operator gives it. Processes drop its rights when they connect."""
    return owner_dsn


@pytest.fixture
def state() -> Iterator[Path]:
    """Provide a state directory of the test's own, which does not exist yet."""
    with state_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def migrated_template(run_folder: Path) -> Iterator[Path]:
    """Provide a state directory whose database is migrated, without data, and does not run: to be copied.

    The first worker of pytest-xdist makes it, the last one removes it.
    """
    made = run_folder / "migrated-made"
    with shared_by_processes(run_folder / "migrated") as is_last:
        with locks.exclusive(run_folder / "migrated-making"):
            folder = state_directory(run_folder / "migrated-dir")
            if not made.exists():
                done = run("migrate", env=env_of(folder))
                assert done.returncode == 0, done.stderr
                wait_until_stopped(folder)
                made.touch()
        yield folder
        if is_last():
            shutil.rmtree(folder)


@pytest.fixture
def migrated(migrated_template: Path, state: Path) -> Path:
    """Provide a state directory of the test's own, whose database is migrated and has no data."""
    return copy_state(migrated_template, state)


@pytest.fixture
def userless_dsn(server_dsn: str) -> Iterator[str]:
    """Provide the DSN of a migrated database without users, in which ``hrims up`` adds the first."""
    with clone(server_dsn, "template0") as made:
        migrate(made)
        yield made


@pytest.fixture(scope="package")
def shared(migrated_template: Path) -> Iterator[Product]:
    """Provide an instance that is up, with a simulator that answers at once and never fails."""
    with state_folder() as folder:
        product = Product(copy_state(migrated_template, folder)).up()
        product.simulator(latency_ms=0, jitter_ms=0, failure_rate=0)
        yield product
        assert product.stop() == 0, product.describe_state()
        assert product.processes() == {}
