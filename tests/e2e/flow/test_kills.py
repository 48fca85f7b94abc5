"""A worker that is killed or frozen at any moment loses no employee and saves none twice."""

import random
import signal
import time

import pytest

from tests.e2e.flow.test_run import TOTAL_REQUESTS, expected_rows, saved_rows
from tests.resilience.crash.crash_runner import END_REQUESTS, IN_FLIGHT, PAGES
from tests.support.harness import World
from tests.support.sample import sampled


def test_a_worker_killed_in_the_middle_of_a_page_is_followed_by_another(world: World) -> None:
    world.simulator.hold(after=5)
    first = world.start_worker()
    run_id = world.enqueue()
    world.wait_until(run_id, lambda run: run.pages == 5)
    world.simulator.wait_for(held=4)
    first.kill()
    world.start_worker()
    world.wait_until(run_id, lambda run: run.attempt == 2)
    world.simulator.release()
    run = world.wait_for_end(run_id)
    assert (run.outcome, run.people) == ("complete", 240)
    assert saved_rows(world) == expected_rows(world)
    saved_first = [number for (number,) in world.rows("SELECT page_number FROM run_pages WHERE attempt = 1")]
    requested = world.simulator.request_counts(key="001")
    assert len(saved_first) == 5
    assert sum(requested[page] for page in saved_first) <= 5 + TOTAL_REQUESTS, (
        "saved pages were asked for again"
    )
    assert world.rows("SELECT rescues, failures FROM runs") == [(1, 0)]


def test_a_worker_that_was_frozen_and_wakes_saves_nothing_and_ends_nothing(world: World) -> None:
    hold = world.simulator.hold(after=5)
    zombie = world.start_worker()
    run_id = world.enqueue()
    world.wait_until(run_id, lambda run: run.pages == 5)
    world.simulator.wait_for(held=4)
    zombie.send_signal(signal.SIGSTOP)
    world.start_worker()
    world.wait_until(run_id, lambda run: run.attempt == 2)
    # Places at the remote that the zombie holds are not free yet: its successor waits for them.
    # The zombie gets its answer first, and only then its successor.
    zombie.send_signal(signal.SIGCONT)
    world.simulator.release(hold)
    run = world.wait_for_end(run_id)
    assert (run.outcome, run.people, run.attempt) == ("complete", 240, 2)
    assert saved_rows(world) == expected_rows(world)
    by_attempt = world.rows("SELECT attempt, count(*) FROM run_pages GROUP BY 1 ORDER BY 1")
    assert by_attempt == [(1, 5), (2, 5)]
    world.wait_for_rows("SELECT status::text FROM procrastinate_jobs", [("succeeded",)])


@pytest.mark.parametrize("seed", sampled(range(10), {0}))
def test_a_kill_at_a_random_moment(world: World, seed: int) -> None:
    rng = random.Random(seed)
    world.simulator.control(latency_ms=20, jitter_ms=20)
    worker = world.start_worker()
    run_id = world.enqueue()
    world.simulator.wait_for_requests(rng.randint(1, 10))
    time.sleep(rng.uniform(0, 0.05))  # so that the kill falls anywhere between two requests
    worker.kill()
    world.start_worker()
    run = world.wait_for_end(run_id)
    assert (run.outcome, run.people) == ("complete", 240)
    assert saved_rows(world) == expected_rows(world)
    answered = world.simulator.response_counts(key="001")
    saved = dict(world.rows("SELECT page_number, attempt FROM run_pages"))
    # The page after the list is never saved. An attempt requests it again if its first answer came too early.
    again = {page: answered[page] for page, attempt in saved.items() if answered[page] > attempt}
    assert not again, "a saved page was requested again"
    # On a busy machine the second worker may be presumed dead for a moment, too.
    lost = run.attempt - 1
    assert sum(answered.values()) <= PAGES + END_REQUESTS + lost * (END_REQUESTS + IN_FLIGHT), (
        "more than the pages in flight again"
    )
