"""A limit on starts with real workers: no run starts too early, and the next starts as soon as it may."""

import os
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tests.distributed.programs import require_program
from tests.support.harness import World

VOTES = ("001", "002", "003", "004")

WINDOW = timedelta(seconds=60)


def test_the_next_run_starts_when_the_window_opens(world: World) -> None:
    world.settings["HRIMS_STARTS_PER_MINUTE"] = "2"
    world.start_worker()
    runs = [world.enqueue(vote) for vote in VOTES[:3]]
    for run_id in runs[:2]:
        assert world.wait_for_end(run_id).outcome == "complete"
    waits = world.wait_until(runs[2], lambda run: run.starts_at is not None)
    assert waits.message == "Waiting: at most 2 runs start per minute."
    assert (waits.state, waits.attempt) == ("waiting", 0)
    # All but three seconds of the minute pass; the worker knows no other way to learn of it than to look.
    world.conn.execute("UPDATE run_starts SET at = at - interval '57 seconds'")
    assert world.wait_for_end(runs[2]).outcome == "complete"
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
    run_id = world.enqueue()
    world.wait_until(
        run_id, lambda run: run.a_worker_lives and "asha paused the queue (Payroll)" in run.message
    )
    assert world.rows("SELECT count(*) FROM run_attempts") == [(0,)]
    world.conn.execute("UPDATE queue_settings SET paused_at = NULL, paused_by = NULL, paused_why = NULL")
    assert world.wait_for_end(run_id).outcome == "complete"


CLOCKS = ("+0", "+10m", "-10m", "+2h")
"""How far the clocks of the workers are off."""

LIMIT = int(os.environ.get("HRIMS_TEST_STARTS", "20"))
"""Starts a minute. With the product's default, 5, a hundred runs take twenty minutes."""


@pytest.mark.chaos
@pytest.mark.timeout(3600)
def test_four_workers_whose_clocks_differ_keep_to_it_over_a_hundred_runs(world: World) -> None:
    """In no minute more than so many, and never more than four questions at once, with workers
    killed meanwhile.
    """
    limit, count = LIMIT, 100
    world.settings["HRIMS_STARTS_PER_MINUTE"] = str(limit)
    world.timeout = 18_000 / limit
    for number in range(4):
        _start_with_clock(world, number)
    votes = [
        vote for (vote,) in world.rows("SELECT vote_code FROM institutions WHERE vote_code <> '' ORDER BY id")
    ]
    runs: list[int] = []
    for number in range(count):
        # An institution has one run at a time; the queue holds as many as there are institutions.
        if number >= len(votes):
            assert world.wait_for_end(runs[number - len(votes)]).outcome == "complete"
        runs.append(world.enqueue(votes[number % len(votes)]))
        if number in (45, 60, 75):
            world.workers[number % 4].kill()
            _start_with_clock(world, number)
    for run_id in runs:
        assert world.wait_for_end(run_id).outcome == "complete"
    assert len(set(runs)) == count
    [(most,)] = world.rows(
        "SELECT max(n) FROM (SELECT count(*) OVER (ORDER BY started_at RANGE BETWEEN CURRENT ROW"
        " AND interval '60 seconds' FOLLOWING) AS n FROM run_attempts) windows"
    )
    in_flight = world.simulator.counters()["max_in_flight"]
    print(f"\n{count} runs, limit {limit}: at most {most} starts in 60 s, {in_flight} in flight")  # noqa: T201 - figures
    assert most <= limit
    assert in_flight <= 4
    [(apart,)] = world.rows(
        "SELECT count(DISTINCT round(extract(epoch FROM left(log[1], 29)::timestamptz - started_at) / 300))"
        " FROM run_attempts WHERE log <> '{}'"
    )
    assert apart == len(CLOCKS), "the clocks were not apart"


def _start_with_clock(world: World, number: int) -> None:
    require_program("faketime", "faketime")
    [library] = Path("/usr/lib").glob("*/faketime/libfaketime.so.1")
    world.settings |= {
        "LD_PRELOAD": str(library),
        "FAKETIME": CLOCKS[number % len(CLOCKS)],
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }
    # A process of its own: the library is loaded when a program starts, not when a process forks.
    world.start_program(str(Path(sys.executable).with_name("hrims")), "worker")
