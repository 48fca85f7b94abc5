"""A limit on starts with real workers: nobody starts too early, and the next starts as soon as it may."""

from datetime import timedelta

import pytest

from tests.flow.conftest import World

VOTES = ("001", "002", "003", "004")

WINDOW = timedelta(seconds=60)


def test_the_next_run_starts_when_the_window_opens(world: World) -> None:
    world.settings["HRIMS_STARTS_PER_MINUTE"] = "2"
    world.start_worker()
    runs = [world.ask(vote) for vote in VOTES[:3]]
    for run_id in runs[:2]:
        assert world.until_ended(run_id).outcome == "complete"
    waits = world.until(runs[2], lambda run: run.starts_at is not None)
    assert waits.message == "Waiting for its turn: in any minute 2 runs start at most."
    assert (waits.state, waits.attempt) == ("waiting", 0)
    # All but three seconds of the minute pass; the worker knows no other way to learn of it than to look.
    world.conn.execute("UPDATE run_starts SET at = at - interval '57 seconds'")
    assert world.until_ended(runs[2]).outcome == "complete"
    [(late,)] = world.rows(
        "SELECT extract(epoch FROM max(at) - (min(at) + interval '60 seconds'))::float8 FROM run_starts"
    )
    assert late >= 0
    assert world.rows("SELECT DISTINCT failures FROM runs") == [(0,)]


def test_nothing_starts_while_the_queue_is_paused_and_all_of_it_afterwards(world: World) -> None:
    world.conn.execute(
        "UPDATE queue_settings SET paused_at = now(), paused_by = 'asha', paused_why = 'Payroll'"
    )
    world.start_worker()
    run_id = world.ask()
    world.until(
        run_id, lambda run: run.a_worker_lives and "asha has paused the queue (Payroll)" in run.message
    )
    assert world.rows("SELECT count(*) FROM run_attempts") == [(0,)]
    world.conn.execute("UPDATE queue_settings SET paused_at = NULL, paused_by = NULL, paused_why = NULL")
    assert world.until_ended(run_id).outcome == "complete"


@pytest.mark.chaos
@pytest.mark.timeout(1800)
def test_four_workers_keep_to_it_over_many_runs_with_kills(world: World) -> None:
    """In no minute more than so many, and never more than four questions at once."""
    limit, count = 10, 40
    world.settings["HRIMS_STARTS_PER_MINUTE"] = str(limit)
    world.patience = 900
    for _ in range(4):
        world.start_worker()
    votes = world.rows(f"SELECT vote_code FROM institutions WHERE vote_code <> '' ORDER BY id LIMIT {count}")
    runs = [world.ask(vote) for (vote,) in votes]
    for number, run_id in enumerate(runs):
        if number in (8, 16, 24):
            world.workers[number // 8 - 1].kill()
            world.start_worker()
        assert world.until_ended(run_id).outcome == "complete"
    [(most,)] = world.rows(
        "SELECT max(n) FROM (SELECT count(*) OVER (ORDER BY started_at RANGE BETWEEN CURRENT ROW"
        " AND interval '60 seconds' FOLLOWING) AS n FROM run_attempts) windows"
    )
    assert most <= limit
    assert world.simulator.counters()["max_in_flight"] <= 4
