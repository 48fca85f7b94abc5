"""The database is restarted, cut off, killed, frozen or full in the middle of runs: they go on."""

import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest

from tests.faults.conftest import Build
from tests.faults.house import WITHIN, House

Fault = Callable[[House], None]


def _restart(house: House) -> None:
    house.server.restart()


def _cut(house: House) -> None:
    house.server.cut()


def _kill(house: House) -> None:
    house.server.kill()


def _endure(house: House, name: str, fault: Fault, times: int) -> None:
    """The same again and again, each time in the middle of runs."""
    house.start_worker()
    house.start_worker()
    took = []
    for _ in range(times):
        house.until_saved(2)
        fault(house)
        took.append(house.seconds_to_a_page())
    first, last = [one[0] for one in took], [one[-1] for one in took]
    _tell(f"{name}: seconds to a page", first)
    _tell(f"{name}: seconds to a page of every worker", last)
    house.check()
    house.until_all_live()
    assert max(first) <= WITHIN, first
    assert max(last) <= WITHIN, last


def _tell(what: str, took: list[float]) -> None:
    figures = " ".join(f"{one:.2f}" for one in took)
    print(f"\n{what}: {figures}; most {max(took):.2f}")  # noqa: T201 - a figure


FAULTS = [
    pytest.param("restarted", _restart, 20, id="restarted"),
    pytest.param("cut", _cut, 20, id="cut"),
    pytest.param("killed", _kill, 10, id="killed"),
]


@pytest.mark.parametrize(("name", "fault", "times"), FAULTS)
def test_it_goes_on(house: House, name: str, fault: Fault, times: int) -> None:
    _endure(house, name, fault, 2)


@pytest.mark.chaos
@pytest.mark.timeout(600)
@pytest.mark.parametrize(("name", "fault", "times"), FAULTS)
def test_it_goes_on_again_and_again(house: House, name: str, fault: Fault, times: int) -> None:
    _endure(house, name, fault, times)


def _freeze(house: House, seconds: float, times: int = 1) -> None:
    """Longer than a worker may be silent; but none of them has died."""

    def stand_still(house: House) -> None:
        with house.server.frozen():
            time.sleep(seconds)  # so long it stands still: that is what is meant

    _endure(house, f"frozen {seconds:.0f} s", stand_still, times)
    assert house.rows("SELECT max(rescues), max(failures) FROM runs") == [(0, 0)]


@pytest.mark.chaos
def test_it_stood_still(house: House) -> None:
    _freeze(house, 4)


@pytest.mark.chaos
def test_it_stood_still_again_and_again(house: House) -> None:
    house.settings["HRIMS_SILENT_SECONDS"] = "4"
    _freeze(house, 6, 5)


@pytest.mark.chaos
@pytest.mark.parametrize("as_it_comes", [True, False], ids=["as it comes", "quick"])
def test_it_stood_still_for_long(house: House, as_it_comes: bool) -> None:
    if as_it_comes:
        del house.settings["HRIMS_BEAT_SECONDS"], house.settings["HRIMS_SILENT_SECONDS"]
    _freeze(house, 30)


def _crowd_out(house: House, seconds: float) -> None:
    def crowd(house: House) -> None:
        assert house.server.crowd_out(seconds) > 10

    _endure(house, f"full {seconds:.0f} s", crowd, 1)


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
    house = build(max_connections="16")
    for _ in range(3):
        house.start_worker()
    house.until_pages(200)
    house.check()


@pytest.mark.chaos
def test_a_worker_that_could_not_open_its_pool_opens_another(build: Build) -> None:
    house = build(max_connections="16")
    with ExitStack() as crowd:
        # Two places are left: enough to look at the schema, too few for a pool.
        for _ in range(13):
            crowd.enter_context(house.server.connect())
        house.start_worker()
        house.wait(lambda: "PoolTimeout" in house.logs(), "the worker to give up its pool")
    took = house.seconds_to_a_page()
    _tell("could not open its pool: seconds to a page", took)
    house.check()
    assert max(took) <= WITHIN
