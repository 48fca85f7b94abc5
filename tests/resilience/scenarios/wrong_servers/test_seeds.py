"""Servers that are consistently wrong: no claim of a run is untrue, no listed person leaves, every run ends.

``HRIMS_TEST_SEEDS=17,204`` replaces the sample by these seeds.
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.resilience.scenarios.wrong_servers import checks, summary
from tests.resilience.scenarios.wrong_servers.runner import play_all
from tests.resilience.scenarios.wrong_servers.scenarios import draw

SAMPLE = tuple(int(seed) for seed in os.environ.get("HRIMS_TEST_SEEDS", "").split(",") if seed) or (
    *(0, 8, 28, 94),
    *(1, 17, 33),
)

SEEDS, BATCH = 300, 30

BATCHES = [
    range(first + parity, first + 2 * BATCH, 2) for first in range(0, SEEDS, 2 * BATCH) for parity in (0, 1)
]
"""A batch has one worker, and its seeds look at edges or do not."""

Record = Callable[[str, object], None]


def _check(dsn: str, folder: Path, seeds: Iterable[int], record_property: Record) -> None:
    played = play_all(dsn, folder, [draw(seed) for seed in seeds])
    record_property(summary.PROPERTY, summary.rows(played))
    faults = [fault for result in played for fault in checks.faults(result)]
    assert not faults, f"{len(faults)} untrue claims:\n" + "\n".join(faults)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("parity", [0, 1], ids=["with edges", "without edges"])
def test_a_sample(dsn: str, tmp_path: Path, record_property: Record, parity: int) -> None:
    if seeds := [seed for seed in SAMPLE if seed % 2 == parity]:
        _check(dsn, tmp_path, seeds, record_property)


@pytest.mark.chaos
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seeds", BATCHES, ids=str)
def test_all_seeds(dsn: str, tmp_path: Path, record_property: Record, seeds: range) -> None:
    _check(dsn, tmp_path, seeds, record_property)
