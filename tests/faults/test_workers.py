"""Workers are killed and frozen in the middle of runs: these are rescued; who comes back spoils nothing."""

import random
import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from tests.faults import told
from tests.faults.house import House
from tests.faults.told import Loss

RESCUED_WITHIN = 45.0
"""Seconds from the loss of a worker to the next attempt at its runs."""


def _killed_one_by_one(house: House, kills: int, seed: int) -> None:
    """One of three workers dies, is replaced, and another dies."""
    chance, losses = random.Random(seed), list[Loss]()
    for _ in range(3):
        house.start_worker()
    house.until_at_work(*house.working)
    for _ in range(kills):
        worker = chance.choice([one for one in house.working if house.attempts_of(one.pid)] or house.working)
        house.until_at_work(worker)
        time.sleep(chance.uniform(0, 0.3))  # a kill at any moment is what is meant
        losses += house.lose(worker, signal.SIGKILL)
        house.start_worker()
    house.until_at_work(*house.working)
    _are_rescued(house, losses, f"{kills} kills")


def _killed_together(house: House, rounds: int) -> None:
    """All three workers die at once, and three others begin."""
    losses = list[Loss]()
    for _ in range(rounds):
        for _ in range(3):
            house.start_worker()
        house.until_saved(1)
        for worker in house.working:
            losses += house.lose(worker, signal.SIGKILL)
    house.start_worker()
    _are_rescued(house, losses, f"{3 * rounds} kills as it comes")


def _are_rescued(house: House, losses: list[Loss], name: str) -> None:
    runs = house.check()
    took = house.seconds_to_go_on(losses)
    print(  # noqa: T201 - figures
        f"\n{name}: {len(losses)} attempts lost, gone on after {sum(took) / len(took):.2f} s on average, "
        f"most {max(took):.2f} s; {len(runs)} runs complete, {house.tried_again} tried again by hand"
    )
    assert len(took) >= len(losses) - 2, "hardly any attempt is over when its worker dies"
    assert max(took) <= RESCUED_WITHIN


def test_workers_are_killed(house: House) -> None:
    _killed_one_by_one(house, 3, seed=1)


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_workers_are_killed_a_hundred_times(house: House) -> None:
    house.patience = 180
    _killed_one_by_one(house, 100, seed=2)


@pytest.mark.chaos
@pytest.mark.timeout(300)
def test_workers_are_killed_that_beat_as_it_comes(house: House) -> None:
    del house.settings["HRIMS_BEAT_SECONDS"], house.settings["HRIMS_SILENT_SECONDS"]
    house.patience = 120
    _killed_together(house, 2)


def _frozen_at_work(house: House, pause: float) -> tuple[subprocess.Popen[bytes], list[Loss]]:
    """A worker that stands still in the middle of whatever it does, and what it has left under way."""
    worker = house.start_worker()
    losses = list[Loss]()
    while not losses:
        worker.send_signal(signal.SIGCONT)
        house.until_at_work(worker)
        time.sleep(pause)  # any moment is meant
        losses = house.lose(worker, signal.SIGSTOP)
    return worker, losses


def _attempts(house: House, run_id: int) -> list[tuple[int, int, str]]:
    return house.rows(f"SELECT number, pid, ended_as FROM run_attempts WHERE run_id = {run_id} ORDER BY 1")


def _jobs_end(house: House, losses: list[Loss]) -> None:
    """A job ends a moment after its run, and once."""
    for loss in losses:
        job = told.JOB.format(loss.run)
        house.wait(lambda job=job: house.rows(job) == [("succeeded", 1)], f"the job of run {loss.run}")  # type: ignore[misc] # bound now


def _wakes_when_all_is_over(house: House, pause: float) -> None:
    """Another brings its runs to their end; only then the frozen one wakes."""
    zombie, losses = _frozen_at_work(house, pause)
    successor = house.start_worker()
    house.finish()
    _jobs_end(house, losses)
    before = {loss.run: house.rows(told.TOLD.format(loss.run)) for loss in losses}
    for loss in losses:
        assert _attempts(house, loss.run)[-2:] == [
            (loss.number, zombie.pid, "worker_died"),
            (loss.number + 1, successor.pid, "finished"),
        ]
    successor.send_signal(signal.SIGTERM)
    assert successor.wait(house.patience) == 0
    house.leaves(successor)
    house.comes_back(zombie)
    # It has noticed all that there is to notice when it works again.
    house.until_saved(1)
    assert {loss.run: house.rows(told.TOLD.format(loss.run)) for loss in losses} == before
    house.check()


def _wakes_amid_its_successor(house: House, pause: float) -> None:
    """Another has taken its runs over and is at work; just then the frozen one wakes."""
    zombie, losses = _frozen_at_work(house, pause)
    house.start_worker()
    for loss in losses:
        house.until(loss.run, lambda run, loss=loss: run.attempt > loss.number)  # type: ignore[misc] # bound now
    house.comes_back(zombie)
    house.until_saved(1)
    house.check()
    _jobs_end(house, losses)
    for loss in losses:
        *_, lost, following = _attempts(house, loss.run)[: loss.number + 1]
        assert lost == (loss.number, zombie.pid, "worker_died")
        assert following[::2] == (loss.number + 1, "finished")


def test_a_worker_was_frozen_and_wakes(house: House) -> None:
    _wakes_when_all_is_over(house, 0.1)


@pytest.mark.chaos
@pytest.mark.timeout(300)
@pytest.mark.parametrize("story", [_wakes_when_all_is_over, _wakes_amid_its_successor])
def test_workers_were_frozen_at_any_moment_and_wake(
    house: House, story: Callable[[House, float], None]
) -> None:
    chance = random.Random(3)
    for _ in range(6):
        story(house, chance.uniform(0, 0.4))
        for worker in house.working:
            house.lose(worker, signal.SIGKILL)
