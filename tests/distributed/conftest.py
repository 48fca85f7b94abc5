"""Where the servers of these tests live."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.distributed.processes import folder


@pytest.fixture
def home() -> Iterator[Path]:
    """Provide a folder for database servers."""
    with folder() as made:
        yield made
