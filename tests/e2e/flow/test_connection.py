"""Workers follow the connection that the page saves: without a restart, and without a failed run."""

from collections.abc import Iterator

import pytest

from tests.database.connections import change
from tests.support.gate import Gate
from tests.support.harness import World
from tests.support.simulated import Simulator

OLD, NEW = "old-token-of-tests", "new-token-of-tests"


@pytest.fixture
def gate(simulator: Simulator) -> Iterator[Gate]:
    with Gate(simulator, OLD) as running:
        yield running


@pytest.fixture
def world(world: World) -> World:
    """Return a world whose workers have no address in their environment."""
    del world.settings["HRIMS_BASE_URL"]
    return world


def wait_for_worker(world: World, address: str) -> None:
    world.wait_for_rows("SELECT address FROM workers WHERE ended_at IS NULL", [(address,)])


def log_of(world: World) -> str:
    """Return the whole log of every worker."""
    return "".join(log.read_text() for log in world.folder.glob("worker-*.log"))


def attempts(world: World) -> list[tuple[str, int, int]]:
    return [
        (state, failures, number)
        for state, failures, number in world.rows("SELECT state, failures, attempt FROM runs ORDER BY id")
    ]


def test_a_worker_without_an_address_takes_no_run_until_it_has_one(world: World) -> None:
    world.start_worker()
    run_id = world.enqueue()
    run = world.wait_until(run_id, lambda run: run.wait_code == "no_address")
    assert run.message == (
        "Waiting: no worker can reach HRIMS until an administrator sets the HRIMS connection."
    )
    [(problem,)] = world.rows("SELECT not_asked FROM workers_v")
    assert problem.startswith("No address of HRIMS is known. Set it on the page “HRIMS connection”")
    assert log_of(world).count("remote_not_usable") == 1
    assert world.rows("SELECT FROM run_attempts") == world.rows("SELECT FROM run_starts") == []
    change(world.conn, address=world.simulator.url)
    assert world.wait_for_end(run_id).outcome == "complete"
    assert attempts(world) == [("completed", 0, 1)]
    assert "connection_changed" in log_of(world)
    change(world.conn, address=None)
    wait_for_worker(world, "")
    world.wait_until(world.enqueue(), lambda run: run.wait_code == "no_address")


def test_a_run_moves_to_new_credentials_between_its_requests(world: World, gate: Gate) -> None:
    change(world.conn, address=gate.url, token=OLD)
    world.start_worker()
    hold = world.simulator.hold(after=3)
    run_id = world.enqueue()
    world.simulator.wait_for(held=4)
    change(world.conn, token=NEW)
    gate.accepted = {NEW}
    world.simulator.release(hold)
    assert world.wait_for_end(run_id).outcome == "complete"
    assert attempts(world) == [("completed", 0, 1)]
    assert gate.seen[OLD] == 7, "requests that were held ended on the old connection"
    assert gate.seen[NEW] > 3
    assert world.rows("SELECT FROM remote_breakers") == []
    for secret in (OLD, NEW):
        assert secret not in log_of(world)


def test_a_run_keeps_its_address_and_the_next_one_has_the_new(world: World, gate: Gate) -> None:
    change(world.conn, address=gate.url, token=OLD)
    world.start_worker()
    hold = world.simulator.hold(after=3)
    first = world.enqueue()
    world.simulator.wait_for(held=4)
    change(world.conn, "token", address=world.simulator.url)
    wait_for_worker(world, world.simulator.url)
    world.simulator.release(hold)
    assert world.wait_for_end(first).outcome == "complete"
    before = gate.seen.total()
    assert world.wait_for_end(world.enqueue("002")).outcome == "complete"
    assert gate.seen.total() == before
    assert attempts(world) == [("completed", 0, 1), ("completed", 0, 1)]


def test_a_run_whose_address_is_gone_continues_at_the_new_one(world: World, gate: Gate) -> None:
    change(world.conn, address=gate.url, token=OLD)
    world.start_worker()
    hold = world.simulator.hold(after=3)
    run_id = world.enqueue()
    world.simulator.wait_for(held=4)
    change(world.conn, "token", address=world.simulator.url)
    gate.accepted = set()
    world.simulator.release(hold)
    assert world.wait_for_end(run_id).outcome == "complete"
    [(state, failures, number)] = attempts(world)
    assert (state, failures) == ("completed", 0)
    assert number == 2, "a further attempt continued from the checkpoint"


def test_the_right_credentials_end_a_wait_at_once(world: World, gate: Gate) -> None:
    world.settings["HRIMS_PROBE_PAUSE"] = "300"
    change(world.conn, address=gate.url, token="wrong-token")
    world.start_worker()
    assert world.wait_for_end(world.enqueue()).trouble_code == "remote_credentials"
    waiting = world.enqueue("002")
    world.wait_until(waiting, lambda run: run.wait_code == "breaker_open")
    change(world.conn, token=OLD)
    assert world.wait_for_end(waiting).outcome == "complete"


def test_a_worker_without_the_encryption_key_leaves_runs_to_others(world: World, gate: Gate) -> None:
    change(world.conn, address=gate.url, token=OLD)
    world.settings["HRIMS_ENCRYPTION_KEY"] = ""
    world.start_worker()
    run_id = world.enqueue()
    world.wait_until(run_id, lambda run: run.wait_code == "no_address")
    [(problem,)] = world.rows("SELECT remote_problem FROM workers")
    assert "this process has no key: HRIMS_ENCRYPTION_KEY is not set" in problem
    assert gate.seen.total() == gate.refused.total() == 0
    del world.settings["HRIMS_ENCRYPTION_KEY"]
    world.start_worker()
    assert world.wait_for_end(run_id).outcome == "complete"
