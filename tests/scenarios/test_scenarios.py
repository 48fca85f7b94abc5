"""Whatever HRIMS does while it is read: nobody is missing in silence, and nobody is there twice."""

from pathlib import Path

import psycopg
import pytest

from hrims.config import PROJECT
from hrims.register import table
from tests.scenarios import judge
from tests.scenarios.cast import draw
from tests.scenarios.theatre import VOTES, perform

QUICK = (9, 1, 14, 0, 7, 5, 4, 6)
"""Seeds that take about a second each, with most kinds of trouble among them."""

ALL = [range(first, first + len(VOTES)) for first in range(0, 200, len(VOTES))]

MOST_COST = 60.0
"""Requests for a page needed: records that break their pages cost most, in short listings of large pages."""


def _is_proved(dsn: str, folder: Path, seeds: tuple[int, ...] | range) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        table.seed(conn, PROJECT / "hrims" / "simulator" / "institutions.csv")
    for played in perform(dsn, folder, [draw(seed) for seed in seeds]):
        assert not judge.faults(played), judge.line(played)
        assert played.cost <= MOST_COST, judge.line(played)


def test_it_works(dsn: str, tmp_path: Path) -> None:
    _is_proved(dsn, tmp_path, QUICK)


@pytest.mark.chaos
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seeds", ALL, ids=str)
def test_all_of_them(dsn: str, tmp_path: Path, seeds: range) -> None:
    _is_proved(dsn, tmp_path, seeds)
