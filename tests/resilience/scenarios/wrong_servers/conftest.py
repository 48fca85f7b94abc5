"""One worker, one database and one server for the tests of a module that name their own cases."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from tests.resilience.scenarios.wrong_servers import checks
from tests.resilience.scenarios.wrong_servers.listing import Listing
from tests.resilience.scenarios.wrong_servers.runner import (
    VOTE_CODES,
    Play,
    Played,
    listing_for,
    play_one,
    serving,
)
from tests.resilience.scenarios.wrong_servers.scenarios import Scenario
from tests.support.databases import clone
from tests.support.harness import Harness


@pytest.fixture(scope="module")
def play(server_dsn: str, template_database: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Play]:
    """Run a scenario on an institution of its own, with the product's default settings for outcomes."""
    with _player(server_dsn, template_database, tmp_path_factory.mktemp("wrong-servers")) as play:
        yield play


@pytest.fixture(scope="module")
def play_with_edges(
    server_dsn: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Play]:
    """Run a scenario as a long run, which reads the edges between its pages again."""
    folder = tmp_path_factory.mktemp("wrong-servers-edges")
    with _player(server_dsn, template_database, folder, edges_after="0") as play:
        yield play


@contextmanager
def _player(server_dsn: str, template_database: str, folder: Path, **settings: str) -> Iterator[Play]:
    listings: dict[str, Listing] = {}
    blocks, votes = count(1), iter(VOTE_CODES)
    with (
        clone(server_dsn, template_database) as dsn,
        # A page that failed is asked for again after others that are still to come, as with the default.
        serving(dsn, folder, listings, page_pause="0.02", **settings) as harness,
    ):
        yield lambda scenario: _play(harness, listings, next(votes), scenario, next(blocks))


def _play(
    harness: Harness, listings: dict[str, Listing], vote: str, scenario: Scenario, block: int
) -> Played:
    listings[vote] = listing = listing_for(scenario, block)
    played = play_one(harness, vote, listing, scenario)
    print("\n".join([checks.told(played), *map(checks.claim, played.results)]))  # noqa: T201 - shown when a test fails
    return played
