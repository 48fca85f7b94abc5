"""Failover: the primary is killed during runs and its synchronous standby is promoted.

No committed data is lost, and web and workers resume without help.
"""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from tests.distributed.harness import PAGES, VOTES, Harness, harness
from tests.distributed.processes import Server

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(400)]

RUNS = VOTES[:4]

Pair = tuple[Server, Server]


@pytest.fixture
def pair(home: Path) -> Iterator[Pair]:
    """Provide a primary and its synchronous standby."""
    primary, standby = Server(home), Server(home)
    try:
        primary.make()
        standby.follow(primary)
        yield primary, standby
    finally:
        primary.kill()
        standby.kill()


@pytest.fixture
def product(pair: Pair, tmp_path: Path) -> Iterator[Harness]:
    """Provide the product over both, two workers."""
    primary, _ = pair
    hosts = ",".join(f"{server.address}:{server.port}" for server in pair)
    url = f"postgresql://hrims@{hosts}/hrims?target_session_attrs=read-write"
    with harness(primary.dsn(), url, tmp_path) as made:
        made.world.settings |= {"HRIMS_BEAT_SECONDS": "1", "HRIMS_SILENT_SECONDS": "8"}
        made.remote.control(latency_ms=150, jitter_ms=50)
        for _ in range(2):
            made.world.start_worker()
        yield made


class Witness:
    """Notes every page that is seen as committed until the primary is gone."""

    def __init__(self, dsn: str) -> None:
        self.seen: set[tuple[int, ...]] = set()
        self._conn = psycopg.connect(dsn, autocommit=True)
        self._thread = threading.Thread(target=self._look)
        self._thread.start()

    def _look(self) -> None:
        try:
            while True:
                self.seen |= set(self._conn.execute(PAGES.encode()).fetchall())
        except psycopg.OperationalError:
            self._conn.close()

    def all_seen(self) -> set[tuple[int, ...]]:
        """Return all of them, once the primary is gone."""
        self._thread.join()
        return self.seen


@pytest.mark.parametrize("pages", [3, 17])
def test_the_standby_takes_over_and_nothing_committed_is_lost(
    product: Harness, pair: Pair, pages: int
) -> None:
    primary, standby = pair
    witness = Witness(primary.dsn())
    with ThreadPoolExecutor() as beside:
        runs = [product.machine.enqueue(vote) for vote in RUNS]
        stream = beside.submit(_last_event, product, runs[0])
        product.wait_until(lambda: len(witness.seen) >= pages)
        primary.kill()
        there = _promote(product, standby, witness, beside)
        product.wait_for_ends(runs)
        assert stream.result() == "complete"
    _all_is_well(product, there)


def test_an_outage_that_outlasts_leases_and_patience_is_waited_for(product: Harness, pair: Pair) -> None:
    """Requests that HRIMS answers only afterwards hold all four slots: no other may take them."""
    primary, standby = pair
    remote = product.remote
    witness = Witness(primary.dsn())
    with ThreadPoolExecutor() as beside:
        runs = [product.machine.enqueue(vote) for vote in RUNS]
        product.wait_until(lambda: len(witness.seen) >= 9)
        remote.hold()
        remote.wait_for(held=4)
        primary.kill()
        started_at = time.monotonic()
        product.wait_until(lambda: time.monotonic() - started_at > LONG and not product.machine.answers())
        there = _promote(product, standby, witness, beside, remote.release)
        product.wait_for_ends(runs)
    _all_is_well(product, there)
    assert product.world.rows("SELECT sum(rescues) FROM runs") == [(0,)], "no worker has died"


def _promote(
    product: Harness,
    standby: Server,
    witness: Witness,
    beside: ThreadPoolExecutor,
    when_back: Callable[[], None] = lambda: None,
) -> set[tuple[int, ...]]:
    """Promote the standby and return the pages that are there then. ``when_back`` is done when both workers
    have given a sign of life.
    """
    seen = witness.all_seen()
    standby.promote()
    promoted = time.monotonic()
    product.moved(standby.dsn())
    there = product.pages()
    assert seen <= there, f"lost: {seen - there}"

    def answered() -> float:
        product.wait_until(product.machine.answers)
        return time.monotonic() - promoted

    web = beside.submit(answered)
    [(at,)] = product.world.rows("SELECT clock_timestamp()")
    product.wait_until(lambda: product.world.rows(BEATEN.format(at)) == [(2,)])
    beat = time.monotonic() - promoted
    when_back()
    product.wait_until(lambda: product.pages() != there)
    print(  # noqa: T201 - figures
        f"{len(seen)} pages were seen as committed, {len(seen - there)} of them lost; after the promotion "
        f"both workers were back after {beat:.1f} s, the next page was saved after "
        f"{time.monotonic() - promoted:.1f} s, the API answered after {web.result():.1f} s"
    )
    return there


def _all_is_well(product: Harness, there: set[tuple[int, ...]]) -> None:
    product.assert_saved_once(*RUNS)
    assert product.pages() >= there
    most_in_flight = product.remote.counters()["max_in_flight"]
    assert most_in_flight <= 4, f"{most_in_flight} requests were in flight at once"
    assert [process.poll() for process in (*product.world.workers, product.web.process)] == [None] * 3


def _last_event(product: Harness, run_id: int) -> str:
    """Return the last event of a stream that was opened before the primary was killed."""
    with product.machine.follow(run_id) as events:
        return [name for name, _ in events][-1]


LONG = 30.0
"""Seconds of a long outage."""

BEATEN = "SELECT count(*) FROM workers WHERE last_beat > '{}'"
