"""Fixtures of the flow and crash tests: each test has its own database, simulator and workers."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from hrims.installation import DEMO_REGISTER
from hrims.institutions import importer
from tests.support.harness import World
from tests.support.simulated import Simulator


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    """Provide a simulator with 240 people at the ministry of health."""
    with Simulator(sizes={"001": 240}, scale=0.05) as running:
        yield running


@pytest.fixture
def world(owner_dsn: str, simulator: Simulator, tmp_path: Path) -> Iterator[World]:
    """Provide a database with the demo register, and a simulator; no worker runs yet.

    Processes get the address of the owner, and drop its rights when they connect. The test keeps them.
    """
    with psycopg.connect(owner_dsn, autocommit=True) as conn:
        importer.seed(conn, DEMO_REGISTER)
        made = World(owner_dsn, conn, simulator, tmp_path)
        yield made
        made.close()
