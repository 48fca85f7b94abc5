"""The database is restarted, cut off, killed, frozen or full in the middle of runs: they go on."""

import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from tests.resilience.faults.harness import WITHIN, Build, FaultHarness

Fault = Callable[[FaultHarness], None]


def _restart(harness: FaultHarness) -> None:
    harness.server.restart()


def _cut(harness: FaultHarness) -> None:
    harness.server.cut()


def _kill(harness: FaultHarness) -> None:
    harness.server.kill()


def _endure(harness: FaultHarness, name: str, fault: Fault, times: int) -> None:
    """Repeat the fault, each time during runs, and return the seconds to the next pages."""
    harness.start_worker()
    harness.start_worker()
    took = []
    for _ in range(times):
        harness.until_saved(2)
        fault(harness)
        took.append(harness.seconds_to_a_page())
    first, last = [times[0] for times in took], [times[-1] for times in took]
    _tell(f"{name}: seconds to a page", first)
    _tell(f"{name}: seconds to a page of every worker", last)
    harness.check()
    harness.until_all_live()
    assert max(first) <= WITHIN, first
    assert max(last) <= WITHIN, last


def _tell(what: str, took: list[float]) -> None:
    figures = " ".join(f"{seconds:.2f}" for seconds in took)
    print(f"\n{what}: {figures}; most {max(took):.2f}")  # noqa: T201 - a figure


FAULTS = [
    pytest.param("restarted", _restart, 20, id="restarted"),
    pytest.param("cut", _cut, 20, id="cut"),
    pytest.param("killed", _kill, 10, id="killed"),
]


@pytest.mark.parametrize(("name", "fault", "times"), FAULTS)
def test_it_goes_on(harness: FaultHarness, name: str, fault: Fault, times: int) -> None:
    _endure(harness, name, fault, 1)


@pytest.mark.chaos
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("name", "fault", "times"), FAULTS)
def test_it_goes_on_again_and_again(harness: FaultHarness, name: str, fault: Fault, times: int) -> None:
    _endure(harness, name, fault, times)


def _freeze(harness: FaultHarness, seconds: float, times: int = 1) -> None:
    """Freeze the database for longer than a heartbeat may be missing."""

    def stand_still(harness: FaultHarness) -> None:
        with harness.server.frozen():
            time.sleep(seconds)  # so long it stands still: that is what is meant

    _endure(harness, f"frozen {seconds:.0f} s", stand_still, times)
    assert harness.rows("SELECT max(rescues), max(failures) FROM runs") == [(0, 0)]


@pytest.mark.chaos
def test_it_stood_still(harness: FaultHarness) -> None:
    _freeze(harness, 4)


@pytest.mark.chaos
def test_it_stood_still_again_and_again(harness: FaultHarness) -> None:
    harness.settings["HRIMS_SILENT_SECONDS"] = "4"
    _freeze(harness, 6, 5)


@pytest.mark.chaos
@pytest.mark.parametrize("as_it_comes", [True, False], ids=["as it comes", "quick"])
def test_it_stood_still_for_long(harness: FaultHarness, as_it_comes: bool) -> None:
    if as_it_comes:
        del harness.settings["HRIMS_BEAT_SECONDS"], harness.settings["HRIMS_SILENT_SECONDS"]
    _freeze(harness, 30)


def _crowd_out(harness: FaultHarness, seconds: float) -> None:
    def crowd(harness: FaultHarness) -> None:
        assert harness.server.crowd_out(seconds) > 10

    _endure(harness, f"full {seconds:.0f} s", crowd, 1)


@pytest.mark.chaos
def test_others_take_every_connection(build: Build) -> None:
    _crowd_out(build(max_connections="30"), 3)


@pytest.mark.chaos
@pytest.mark.timeout(300)
@pytest.mark.parametrize("seconds", [12, 25, 45])
def test_others_take_every_connection_for_long(build: Build, seconds: float) -> None:
    _crowd_out(build(max_connections="30"), seconds)


@pytest.mark.chaos
def test_there_are_fewer_connections_than_the_workers_would_like(build: Build) -> None:
    harness = build(max_connections="16")
    for _ in range(3):
        harness.start_worker()
    harness.until_pages(200)
    harness.check()


@pytest.mark.chaos
def test_a_worker_that_could_not_open_its_pool_opens_another(build: Build) -> None:
    harness = build(max_connections="16")
    # During an outage, each restart is logged for debugging only.
    harness.settings["HRIMS_LOG_LEVEL"] = "debug"
    with ExitStack() as crowd:
        # Two places are left: enough to look at the schema, too few for a pool.
        for _ in range(13):
            crowd.enter_context(harness.server.connect())
        harness.start_worker()
        harness.wait(lambda: "PoolTimeout" in harness.logs(), "the worker to give up its pool")
    took = harness.seconds_to_a_page()
    _tell("could not open its pool: seconds to a page", took)
    harness.check()
    assert max(took) <= WITHIN
