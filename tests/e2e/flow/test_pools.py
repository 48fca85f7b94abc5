"""Pools and deadlines with real workers: which worker serves which pool, and what a deadline leaves."""

import signal

from hrims.institutions import store as institution_store
from hrims.jobs import enqueue
from hrims.jobs.attempts.retry_policy import DEFAULT_POLICY, RetryPolicy
from hrims.jobs.workers import pools
from tests.support.harness import TIMEOUT, World
from tests.support.users import ASHA, BINTI


def tie(world: World, vote: str, pool: str | None) -> None:
    """Ties an institution to a pool."""
    found = institution_store.find_institution_by(world.conn, "votecode", vote)
    assert found
    pools.set_run_policy(world.conn, BINTI, found.id, pool, DEFAULT_POLICY)


def test_a_pool_is_served_by_its_own_workers_alone(world: World) -> None:
    tie(world, "001", "health")
    theirs, others = world.enqueue("001"), world.enqueue("002")
    worker = world.start_worker("hrims", "worker", "--pool", "health")
    assert world.wait_for_end(theirs).outcome == "complete"
    waits = world.run(others)
    assert (waits.state, waits.attempt) == ("waiting", 0)
    assert waits.message.startswith("Waiting: no worker is running.")
    assert world.rows("SELECT pool, alive FROM workers_v") == [("health", True)]
    world.start_worker()
    assert world.wait_for_end(others).outcome == "complete"
    worker.send_signal(signal.SIGTERM)
    worker.wait(TIMEOUT)
    assert world.rows("SELECT pool, alive, ended_at IS NULL FROM workers_v ORDER BY pool") == [
        ("health", False, False),
        (None, True, True),
    ]
    again = world.enqueue("001")
    assert "no worker of the pool health" in world.run(again).message
    # Untied, it is the others' at once.
    tie(world, "001", None)
    assert world.wait_for_end(again).outcome == "complete"


def test_a_plain_procrastinate_worker_serves_the_pool_of_its_environment(world: World) -> None:
    tie(world, "001", "health")
    world.settings["HRIMS_POOL"] = "health"
    world.start_worker("procrastinate", "--app=hrims.jobs.queue.app", "worker")
    assert world.wait_for_end(world.enqueue("001")).outcome == "complete"


def test_a_worker_that_is_killed_falls_silent(world: World) -> None:
    worker = world.start_worker()
    world.wait_for_rows("SELECT alive FROM workers_v", [(True,)])
    worker.kill()
    world.wait_for_rows("SELECT alive, ended_at IS NULL FROM workers_v", [(False, True)])


def test_what_was_saved_by_the_deadline_stays(world: World) -> None:
    run_id = _ask_with(world, RetryPolicy(deadline_minutes=1))
    hold = world.simulator.hold(after=3)
    world.start_worker()
    world.wait_until(run_id, lambda run: run.pages == 3)
    world.conn.execute("UPDATE runs SET deadline_at = now() + interval '0.2 s' WHERE id = %s", (run_id,))
    # The attempt knows the deadline with which it began, so it is one more that meets the new one.
    world.workers[0].send_signal(signal.SIGTERM)
    world.simulator.release(hold)
    world.workers[0].wait(TIMEOUT)
    world.start_worker()
    run = world.wait_for_end(run_id)
    assert (run.state, run.trouble_code, run.partial) == ("failed", "deadline", True)
    assert run.saved >= 75


def _ask_with(world: World, retry_policy: RetryPolicy) -> int:
    found = institution_store.find_institution_by(world.conn, "votecode", "001")
    assert found
    return enqueue.enqueue_run(
        world.conn,
        ASHA,
        institution_id=found.id,
        identifier_type="votecode",
        identifier="001",
        page_size=25,
        retry_policy=retry_policy,
    ).run_id
