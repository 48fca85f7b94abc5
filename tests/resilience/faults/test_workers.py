"""Workers are killed and frozen in the middle of runs: these are rescued; who comes back spoils nothing."""

import random
import signal
import subprocess
import time
from collections.abc import Callable

import pytest

from tests.resilience.faults import loss_queries
from tests.resilience.faults.harness import FaultHarness
from tests.resilience.faults.loss_queries import Loss

RESCUED_WITHIN = 45.0
"""Seconds from the loss of a worker to the next attempt at its runs."""


def _killed_one_by_one(harness: FaultHarness, kills: int, seed: int) -> None:
    """Kill one of three workers, replace it, and repeat."""
    rng, losses = random.Random(seed), list[Loss]()
    for _ in range(3):
        harness.start_worker()
    harness.until_at_work(*harness.working)
    for _ in range(kills):
        worker = rng.choice(
            [worker for worker in harness.working if harness.attempts_of(worker.pid)] or harness.working
        )
        harness.until_at_work(worker)
        time.sleep(rng.uniform(0, 0.3))  # a kill at any moment is what is meant
        losses += harness.lose(worker, signal.SIGKILL)
        harness.start_worker()
    harness.until_at_work(*harness.working)
    _are_rescued(harness, losses, f"{kills} kills")


def _killed_together(harness: FaultHarness, rounds: int) -> None:
    """Kill all three workers at once and start three others."""
    losses = list[Loss]()
    for _ in range(rounds):
        for _ in range(3):
            harness.start_worker()
        harness.until_saved(1)
        for worker in harness.working:
            losses += harness.lose(worker, signal.SIGKILL)
    harness.start_worker()
    _are_rescued(harness, losses, f"{3 * rounds} kills as it comes")


def _are_rescued(harness: FaultHarness, losses: list[Loss], name: str) -> None:
    runs = harness.check()
    took = harness.seconds_to_go_on(losses)
    print(  # noqa: T201 - figures
        f"\n{name}: {len(losses)} attempts lost, gone on after {sum(took) / len(took):.2f} s on average, "
        f"most {max(took):.2f} s; {len(runs)} runs complete, {harness.tried_again} tried again by hand"
    )
    assert len(took) >= len(losses) - 2, "hardly any attempt is over when its worker dies"
    assert max(took) <= RESCUED_WITHIN


def test_workers_are_killed(harness: FaultHarness) -> None:
    _killed_one_by_one(harness, 3, seed=1)


@pytest.mark.chaos
@pytest.mark.timeout(900)
def test_workers_are_killed_a_hundred_times(harness: FaultHarness) -> None:
    harness.timeout = 180
    _killed_one_by_one(harness, 100, seed=2)


@pytest.mark.chaos
@pytest.mark.timeout(300)
def test_workers_are_killed_that_beat_as_it_comes(harness: FaultHarness) -> None:
    del harness.settings["HRIMS_BEAT_SECONDS"], harness.settings["HRIMS_SILENT_SECONDS"]
    harness.timeout = 120
    _killed_together(harness, 2)


def _frozen_at_work(harness: FaultHarness, pause: float) -> tuple[subprocess.Popen[bytes], list[Loss]]:
    """Freeze a busy worker and return it with the attempts that it left under way."""
    worker = harness.start_worker()
    losses = list[Loss]()
    while not losses:
        worker.send_signal(signal.SIGCONT)
        harness.until_at_work(worker)
        time.sleep(pause)  # any moment is meant
        losses = harness.lose(worker, signal.SIGSTOP)
    return worker, losses


def _attempts(harness: FaultHarness, run_id: int) -> list[tuple[int, int, str]]:
    return harness.rows(f"SELECT number, pid, ended_as FROM run_attempts WHERE run_id = {run_id} ORDER BY 1")


def _jobs_end(harness: FaultHarness, losses: list[Loss]) -> None:
    """Assert that each job ends soon after its run, and once."""
    for loss in losses:
        job = loss_queries.JOB.format(loss.run)
        harness.wait(lambda job=job: harness.rows(job) == [("succeeded", 1)], f"the job of run {loss.run}")  # type: ignore[misc] # bound now


def _wakes_when_all_is_over(harness: FaultHarness, pause: float) -> None:
    """Resume the frozen worker after another has finished its runs."""
    zombie, losses = _frozen_at_work(harness, pause)
    successor = harness.start_worker()
    harness.finish()
    _jobs_end(harness, losses)
    before = {loss.run: harness.rows(loss_queries.TOLD.format(loss.run)) for loss in losses}
    for loss in losses:
        assert _attempts(harness, loss.run)[-2:] == [
            (loss.number, zombie.pid, "worker_died"),
            (loss.number + 1, successor.pid, "finished"),
        ]
    successor.send_signal(signal.SIGTERM)
    assert successor.wait(harness.timeout) == 0
    harness.leaves(successor)
    harness.comes_back(zombie)
    # It has noticed all that there is to notice when it works again.
    harness.until_saved(1)
    assert {loss.run: harness.rows(loss_queries.TOLD.format(loss.run)) for loss in losses} == before
    harness.check()


def _wakes_amid_its_successor(harness: FaultHarness, pause: float) -> None:
    """Resume the frozen worker while another executes its runs."""
    zombie, losses = _frozen_at_work(harness, pause)
    harness.start_worker()
    for loss in losses:
        harness.wait_until(loss.run, lambda run, loss=loss: run.attempt > loss.number)  # type: ignore[misc] # bound now
    harness.comes_back(zombie)
    harness.until_saved(1)
    harness.check()
    _jobs_end(harness, losses)
    for loss in losses:
        *_, lost, following = _attempts(harness, loss.run)[: loss.number + 1]
        assert lost == (loss.number, zombie.pid, "worker_died")
        assert following[::2] == (loss.number + 1, "finished")


def test_a_worker_was_frozen_and_wakes(harness: FaultHarness) -> None:
    _wakes_when_all_is_over(harness, 0.1)


@pytest.mark.chaos
@pytest.mark.timeout(300)
@pytest.mark.parametrize("story", [_wakes_when_all_is_over, _wakes_amid_its_successor])
def test_workers_were_frozen_at_any_moment_and_wake(
    harness: FaultHarness, story: Callable[[FaultHarness, float], None]
) -> None:
    rng = random.Random(3)
    for _ in range(6):
        story(harness, rng.uniform(0, 0.4))
        for worker in harness.working:
            harness.lose(worker, signal.SIGKILL)
