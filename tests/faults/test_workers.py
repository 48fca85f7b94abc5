"""Workers are killed and frozen in the middle of runs: these are rescued; who comes back spoils nothing."""

import random
import signal
import time

import pytest

from tests.faults.house import House, Loss

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
    _killed_one_by_one(house, 4, seed=1)


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


TOLD = """
SELECT r.*, a.*, p.*, j.* FROM
  (SELECT json_agg(to_json(x) ORDER BY x.id)::text FROM runs x WHERE id = {0}) r,
  (SELECT json_agg(to_json(x) ORDER BY x.number)::text FROM run_attempts x WHERE run_id = {0}) a,
  (SELECT json_agg(json_build_array(x.xmin::text, to_json(x)) ORDER BY reading, page_size, page_number)::text
   FROM run_pages x WHERE run_id = {0}) p,
  (SELECT json_agg(json_build_array(x.id, x.status, (
      SELECT json_agg(e.type ORDER BY e.id) FROM procrastinate_events e WHERE e.job_id = x.id)))::text
   FROM procrastinate_jobs x WHERE x.args ->> 'run_id' = '{0}') j
"""
"""All that is told of a run: its row, attempts, pages and who wrote them, and what became of its jobs."""

JOB = """
SELECT j.status::text, count(*) FILTER (WHERE e.type IN ('succeeded', 'failed', 'aborted', 'cancelled'))
FROM runs r JOIN procrastinate_jobs j ON j.id = r.queue_job_id JOIN procrastinate_events e ON e.job_id = j.id
WHERE r.id = {} GROUP BY j.id
"""


def _wakes_when_all_is_over(house: House, pause: float) -> None:
    """A worker freezes, another brings its runs to their end, and only then it wakes."""
    zombie = house.start_worker()
    losses = list[Loss]()
    while not losses:
        zombie.send_signal(signal.SIGCONT)
        house.until_at_work(zombie)
        time.sleep(pause)  # it freezes in the middle of whatever it does then
        losses = house.lose(zombie, signal.SIGSTOP)
    successor = house.start_worker()
    house.finish()
    told = {loss.run: house.rows(TOLD.format(loss.run)) for loss in losses}
    successor.send_signal(signal.SIGTERM)
    assert successor.wait(house.patience) == 0
    house.lost = {successor.pid}
    zombie.send_signal(signal.SIGCONT)
    for loss in losses:
        run = house.run(loss.run)
        assert (run.outcome, run.attempt) == ("complete", loss.number + 1)
        attempts = f"SELECT number, pid, ended_as FROM run_attempts WHERE run_id = {run.id} ORDER BY 1"
        assert house.rows(attempts)[-2:] == [
            (loss.number, zombie.pid, "worker_died"),
            (loss.number + 1, successor.pid, "finished"),
        ]
        assert house.rows(JOB.format(run.id)) == [("succeeded", 1)]
    # It has noticed all that there is to notice when it works again.
    house.until_saved(1)
    assert {loss.run: house.rows(TOLD.format(loss.run)) for loss in losses} == told
    house.check()
    zombie.kill()
    house.lost.add(zombie.pid)


def test_a_worker_was_frozen_and_wakes(house: House) -> None:
    _wakes_when_all_is_over(house, 0.1)
