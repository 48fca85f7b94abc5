"""Many runs, many workers and one HRIMS: it is asked no more than allowed, and left alone when it is down."""

import pytest

from tests.support.harness import World

VOTES = ("001", "002", "003")


def _wait_and_say(world: World, run_ids: list[int], why: str) -> None:
    for run_id in run_ids:
        world.wait_until(run_id, lambda run: run.wait_code == "breaker_open" and why in run.message)


def test_three_workers_ask_four_pages_at_once_at_most(world: World) -> None:
    world.simulator.control(latency_ms=30, jitter_ms=20)
    hold = world.simulator.hold()
    for _ in range(3):
        world.start_worker()
    runs = [world.enqueue(vote, page_size=5) for vote in VOTES]
    # Each run begins with one page alone, so that all three stand here, and a fourth place is free.
    world.simulator.wait_for(held=3)
    world.simulator.release(hold)
    world.simulator.wait_for(answered=3)
    world.simulator.hold()
    world.simulator.wait_for(held=4)
    world.simulator.release()
    for run_id in runs:
        assert world.wait_for_end(run_id).outcome == "complete"
    assert world.simulator.counters()["max_in_flight"] == 4
    busy = world.rows("SELECT DISTINCT pid FROM run_attempts")
    assert len(busy) > 1, "one worker did it all"
    assert world.rows("SELECT count(*) FROM remote_slots WHERE until > now()") == [(0,)]


def test_runs_wait_while_hrims_is_down_and_resume(world: World) -> None:
    world.settings["HRIMS_PROBE_PAUSE"] = "0.2"
    world.simulator.control(down=True)
    world.start_worker()
    runs = [world.enqueue(vote) for vote in VOTES[:2]]
    _wait_and_say(world, runs, "broke the connection")
    world.simulator.control(down=False)
    for run_id in runs:
        assert world.wait_for_end(run_id).outcome == "complete"
    assert world.rows("SELECT DISTINCT failures FROM runs") == [(0,)]
    assert world.rows("SELECT address FROM remote_breakers") == []


def test_while_hrims_fails_whatever_it_is_asked_runs_wait_for_it_and_spend_no_attempt(world: World) -> None:
    world.settings |= {"HRIMS_PROBE_PAUSE": "0.2"}
    world.simulator.fail("http500", times=100_000)
    world.start_worker()
    run = world.enqueue()
    _wait_and_say(world, [run], "failed (HTTP 500)")
    assert world.simulator.counters()["requests"] <= 20, "it was asked again and again"
    world.simulator.reset()
    assert world.wait_for_end(run).outcome == "complete"
    assert world.rows("SELECT failures FROM runs") == [(0,)]


@pytest.mark.parametrize("wrong", ["http://127.0.0.1:1/hrims", "{right}/wrong"], ids=["refused", "not found"])
def test_a_worker_with_a_wrong_address_stops_no_other(world: World, wrong: str) -> None:
    right = world.settings["HRIMS_BASE_URL"]
    world.settings |= {"HRIMS_BASE_URL": wrong.format(right=right)}
    lost = world.start_worker()
    run = world.enqueue()
    _wait_and_say(world, [run], "address")
    world.settings["HRIMS_BASE_URL"] = right
    world.start_worker()
    for run_id in (run, *(world.enqueue(vote) for vote in VOTES[1:])):
        assert world.wait_for_end(run_id).outcome == "complete"
    assert world.rows("SELECT DISTINCT failures FROM runs") == [(0,)]
    by_worker = dict(world.rows("SELECT pid, count(*) FROM run_attempts GROUP BY 1"))
    assert by_worker[lost.pid] == 1, "it took more runs that it could not ask for"
    assert world.rows("SELECT count(*) FROM run_starts") == [(len(VOTES) + 1,)]
    assert world.rows("SELECT pid FROM workers_v WHERE alive AND not_asked IS NOT NULL") == [(lost.pid,)]


def test_refused_credentials_end_one_run_and_let_the_others_wait(world: World) -> None:
    world.settings["HRIMS_PROBE_PAUSE"] = "0.2"
    world.settings["HRIMS_CONCURRENCY"] = "1"
    world.simulator.control(credentials="expired")
    world.start_worker()
    first, second = (world.enqueue(vote) for vote in VOTES[:2])
    assert world.wait_for_end(first).trouble_code == "remote_credentials"
    _wait_and_say(world, [second], "credentials")
    world.simulator.control(credentials="ok")
    assert world.wait_for_end(second).outcome == "complete"


def test_what_hrims_asks_to_wait_holds_for_every_page(world: World) -> None:
    world.simulator.control(latency_ms=10)
    world.simulator.fail("http503", page=3, times=1, retry_after=2)
    world.start_worker()
    assert world.wait_for_end(world.enqueue()).outcome == "complete"
    log = world.simulator.counters()["log"]
    told = next(one["end"] for one in log if one["outcome"] == "http503")
    # Those in flight had left before; a moment for one that had.
    after = [one["start"] - told for one in log if one["start"] > told + 0.5]
    assert after, "nothing was asked after the wait"
    assert min(after) >= 1.9


def test_a_large_institution_starves_no_other(world: World) -> None:
    """It has pages enough to ask for four at a time throughout, and cannot end before the others."""
    world.simulator.control(latency_ms=100)
    last = world.simulator.hold(vote="001", page=239)
    world.start_worker()
    large = world.enqueue("001", page_size=1)
    world.wait_until(large, lambda run: run.pages > 10)
    for vote in ("002", "003", "005"):
        assert world.wait_for_end(world.enqueue(vote, page_size=100)).outcome == "complete"
    world.simulator.release(last)
    assert world.wait_for_end(large).outcome == "complete"
    assert world.simulator.counters()["max_in_flight"] <= 4
