"""What a worker does beside its runs never ends alone, and a job is never assigned to a worker in vain."""

import json

from tests.support.harness import World

LIVING = "SELECT count(*) FROM workers w WHERE is_alive(w)"


def test_a_job_that_a_living_worker_does_not_know_of_goes_back(world: World) -> None:
    """The worker took it, and the answer to its commit got lost."""
    world.start_worker()
    world.wait_for_rows(LIVING, [(1,)])
    with world.conn.transaction():
        run_id = world.enqueue()
        world.conn.execute(
            "UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT worker_id FROM workers)"
        )
    assert world.wait_for_end(run_id).outcome == "complete"
    assert world.rows("SELECT attempt, rescues, failures FROM runs") == [(1, 0, 0)]


def test_a_worker_without_one_of_its_tasks_hands_its_runs_back_and_ends(world: World) -> None:
    hold = world.simulator.hold(page=3)
    broken = world.start_worker("python", "-m", "tests.e2e.flow.broken_worker", str(world.folder / "now"))
    run_id = world.enqueue()
    world.simulator.wait_for(held=1)
    (world.folder / "now").touch()
    assert broken.wait(world.timeout) == 1
    assert world.rows("SELECT ended_as FROM run_attempts") == [("handed_back",)]
    assert world.rows(LIVING) == [(0,)]
    assert "background_task_ended task=break_at_signal" in world.logs()
    assert "The worker ends, and is to be started again." in world.logs()
    world.simulator.release(hold)
    world.start_worker()
    assert world.wait_for_end(run_id).outcome == "complete"
    assert world.rows("SELECT attempt, rescues, failures FROM runs") == [(2, 0, 0)]


def test_every_line_of_a_worker_that_ends_so_is_an_event(world: World) -> None:
    world.settings |= {"HRIMS_LOG_FORMAT": "json"}
    (world.folder / "now").touch()
    broken = world.start_worker("python", "-m", "tests.e2e.flow.broken_worker", str(world.folder / "now"))
    assert broken.wait(world.timeout) == 1
    events = [json.loads(line) for line in (world.folder / "worker-0.log").read_text().splitlines()]
    [ended] = [event for event in events if event["event"] == "background_task_ended"]
    assert ended["exception"].endswith("builtins.KeyError")
    assert events[-1]["event"] == "line_printed"
    assert "The worker ends, and is to be started again." in events[-1]["message"]


def test_a_plain_worker_of_procrastinate_is_one_worker_with_one_heartbeat(world: World) -> None:
    worker = world.start_worker("procrastinate", "--app=hrims.jobs.queue.app", "worker")
    assert world.wait_for_end(world.enqueue()).outcome == "complete"
    world.wait_for_rows(LIVING, [(1,)])
    assert world.rows("SELECT count(*) FROM procrastinate_workers") == [(1,)]
    worker.terminate()
    assert worker.wait(world.timeout) == 0
    assert world.rows(LIVING) == [(0,)]
    assert world.rows("SELECT count(*) FROM procrastinate_workers") == [(0,)]
