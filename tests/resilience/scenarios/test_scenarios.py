"""Random faults of HRIMS during a run: no employee is missing without a report or saved twice."""

from pathlib import Path

import psycopg
import pytest

from hrims.installation import DEMO_REGISTER
from hrims.institutions import importer
from tests.resilience.scenarios import checks
from tests.resilience.scenarios.runner import VOTES, perform
from tests.resilience.scenarios.scenarios import draw

QUICK = (9, 1, 14, 0, 7, 5, 4, 6)
"""Seeds that take about a second each, with most kinds of trouble among them."""

ALL = [range(first, first + len(VOTES)) for first in range(0, 200, len(VOTES))]

FOR_A_PAGE, FOR_A_BROKEN_RECORD = 14, 150
"""Requests at most: three readings, the edges, and what fails; a record that breaks every page it is on is
looked for in each of them. Where three requests in ten fail, good pages are split too: after three tries.
"""


def _is_proved(dsn: str, folder: Path, seeds: tuple[int, ...] | range) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        importer.seed(conn, DEMO_REGISTER)
    for played in perform(dsn, folder, [draw(seed) for seed in seeds]):
        assert not checks.faults(played), checks.line(played)
        scenario = played.scenario
        allowed = FOR_A_PAGE * (scenario.pages + 1) + FOR_A_BROKEN_RECORD * scenario.poison
        assert played.requests <= allowed, checks.line(played)


def test_it_works(dsn: str, tmp_path: Path) -> None:
    _is_proved(dsn, tmp_path, QUICK)


@pytest.mark.chaos
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seeds", ALL, ids=str)
def test_all_of_them(dsn: str, tmp_path: Path, seeds: range) -> None:
    _is_proved(dsn, tmp_path, seeds)
