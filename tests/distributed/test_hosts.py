"""Three hosts with a worker each, as they come: one is cut off from the network, one is killed. The third
goes on for both, and the one that comes back saves nothing of what it lost.
"""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.distributed.harness import VOTES, Harness, harness
from tests.distributed.hosts import NAMES, Hosts, hosts
from tests.distributed.processes import Server

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(500)]

CUT_OFF, KILLED, STAYS = NAMES

LIMIT = 8
"""Starts in a minute."""

RESCUED_WITHIN = 45.0

AS_THEY_COME = {
    "HRIMS_BEAT_SECONDS": "5",
    "HRIMS_SILENT_SECONDS": "20",
    "HRIMS_STARTS_PER_MINUTE": str(LIMIT),
}


@pytest.fixture
def network() -> Iterator[Hosts]:
    """Provide three hosts on a bridge."""
    with hosts() as made:
        yield made


@pytest.fixture
def product(network: Hosts, home: Path, tmp_path: Path) -> Iterator[Harness]:
    """Provide database and HRIMS on the bridge, a worker on each host."""
    server = Server(home, network.address)
    try:
        server.make(network.network)
        url = server.dsn()
        with harness(url, url, tmp_path, host=network.address, **AS_THEY_COME) as made:
            made.remote.control(latency_ms=600, jitter_ms=100)
            for name in NAMES:
                network.start_worker(made.world, name)
            yield made
    finally:
        server.kill()


def test_a_disconnected_host_and_a_killed_host_lose_no_employee(product: Harness, network: Hosts) -> None:
    world = product.world
    runs = [product.machine.enqueue(vote) for vote in VOTES]
    product.wait_until(lambda: [name for (name,) in world.rows(AT_WORK)] == sorted(NAMES))
    network.pull(CUT_OFF)
    world.workers[NAMES.index(KILLED)].kill()
    [(started_at,)] = world.rows("SELECT clock_timestamp()")
    product.wait_until(lambda: world.rows(LEFT_ALONE.format(CUT_OFF, KILLED)) == [(0,)])
    rescued = {
        name: float(world.rows(RESCUED.format(started_at, name))[0][0] or 0) for name in (CUT_OFF, KILLED)
    }
    taken = world.rows(TAKEN.format(CUT_OFF))
    product.wait_until(lambda: world.rows(FOLLOWED.format(CUT_OFF)) == taken)
    network.put_back(CUT_OFF)
    back = time.monotonic()
    [(at,)] = world.rows("SELECT clock_timestamp()")
    product.wait_until(lambda: world.rows(BEATEN.format(CUT_OFF, at)) == [(1,)])
    came_back = time.monotonic() - back
    product.wait_for_ends(runs)
    product.assert_saved_once(*VOTES)
    [(most_starts,)] = world.rows(MOST_STARTS)
    in_flight = product.remote.counters()["max_in_flight"]
    print(  # noqa: T201 - figures
        f"rescued after {rescued[CUT_OFF]:.1f} s (cut off) and {rescued[KILLED]:.1f} s (killed); the host "
        f"that was cut off works again {came_back:.1f} s after its cable is back; at most "
        f"{most_starts} starts in any minute, {in_flight} requests in flight"
    )
    assert max(rescued.values()) <= RESCUED_WITHIN
    assert most_starts <= LIMIT
    assert in_flight <= 4
    _works_alone(product, CUT_OFF)


def _works_alone(product: Harness, name: str) -> None:
    """Assert that the host that was cut off executes a run alone, with the same worker process."""
    world = product.world
    stays = world.workers[NAMES.index(STAYS)]
    stays.send_signal(signal.SIGTERM)
    stays.wait(60)
    again = product.machine.enqueue(VOTES[0])
    product.wait_for_ends([again])
    assert world.rows(f"SELECT host FROM run_attempts WHERE run_id = {again}") == [(name,)]
    assert world.workers[NAMES.index(name)].poll() is None


AT_WORK = """
SELECT DISTINCT a.host FROM run_attempts a JOIN run_pages p ON p.run_id = a.run_id AND p.attempt = a.number
WHERE a.ended_at IS NULL ORDER BY 1
"""
LEFT_ALONE = "SELECT count(*) FROM run_attempts WHERE ended_at IS NULL AND host IN ('{}', '{}')"
RESCUED = """
SELECT extract(epoch FROM max(ended_at) - '{}'::timestamptz)::float8 FROM run_attempts
WHERE ended_as = 'worker_died' AND host = '{}'
"""
TAKEN = "SELECT count(*) FROM run_attempts WHERE ended_as = 'worker_died' AND host = '{}'"
FOLLOWED = """
SELECT count(*) FROM run_attempts a WHERE a.ended_as = 'worker_died' AND a.host = '{}'
AND EXISTS (SELECT FROM run_attempts b WHERE b.run_id = a.run_id AND b.number = a.number + 1)
"""
BEATEN = "SELECT count(*) FROM workers WHERE host = '{}' AND last_beat > '{}'"
MOST_STARTS = """
SELECT max(n) FROM (SELECT count(*) OVER (ORDER BY started_at RANGE BETWEEN CURRENT ROW
AND interval '60 seconds' FOLLOWING) AS n FROM run_attempts) windows
"""
