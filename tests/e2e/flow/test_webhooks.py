"""From a run's end to a receiver, with a real worker and real HTTP."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from hrims.jobs import control
from hrims.webhooks import actions as webhook_actions
from tests.database.webhooks import endpoint
from tests.support.harness import World
from tests.support.receiver import Receiver, verify
from tests.support.users import ASHA, BINTI

STATES = "SELECT state FROM webhook_messages ORDER BY id"
TRIES = "SELECT status FROM webhook_tries ORDER BY message_id, number"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def inside(world: World) -> World:
    """Provide a world whose workers may send to this machine."""
    world.settings["HRIMS_WEBHOOK_PRIVATE"] = "yes"
    return world


def hurry(world: World) -> None:
    """Lets the time pass until the next try is due."""
    todo = "SELECT count(*) FROM procrastinate_jobs WHERE queue_name = 'webhooks' AND status = 'todo'"
    world.wait_for_rows(todo, [(1,)])
    world.conn.execute(
        "UPDATE procrastinate_jobs SET scheduled_at = now() WHERE queue_name = 'webhooks' AND status = 'todo'"
    )


def key_of(world: World) -> str:
    [(key,)] = world.rows("SELECT key FROM webhook_messages")
    return str(key)


def test_a_receiver_is_told_once_and_can_verify_it(inside: World, receiver: Receiver) -> None:
    added = endpoint(inside.conn, receiver.url)
    inside.start_worker()
    run_id = inside.enqueue()
    received = receiver.next()
    assert verify(received, added.secret)
    assert received.headers["webhook-id"] == key_of(inside)
    assert (received.payload["type"], received.payload["data"]["jobId"]) == ("run.completed", str(run_id))
    assert (received.payload["data"]["outcome"], received.payload["data"]["employeeCount"]) == (
        "complete",
        240,
    )
    inside.wait_for_rows(STATES, [("delivered",)])
    inside.wait_for_rows("SELECT DISTINCT status::text FROM procrastinate_jobs", [("succeeded",)])
    assert inside.rows(TRIES) == [(204,)]
    assert len(receiver.all) == 1
    assert added.secret not in inside.logs()
    assert receiver.url not in inside.logs()


def test_the_plain_worker_tells_too(inside: World, receiver: Receiver) -> None:
    endpoint(inside.conn, receiver.url)
    inside.start_worker("procrastinate", "--app=hrims.jobs.queue.app", "worker")
    inside.enqueue()
    assert receiver.next().payload["type"] == "run.completed"


def test_a_receiver_that_fails_twice_gets_it_the_third_time(inside: World, receiver: Receiver) -> None:
    added = endpoint(inside.conn, receiver.url)
    receiver.answers = [503, 500]
    inside.start_worker()
    control.cancel(inside.conn, ASHA, inside.enqueue())
    tries = [receiver.next()]
    for _ in range(2):
        hurry(inside)
        tries.append(receiver.next())
    inside.wait_for_rows(STATES, [("delivered",)])
    assert all(verify(received, added.secret) for received in tries)
    assert len({received.headers["webhook-id"] for received in tries}) == 1
    assert {received.body for received in tries} == {tries[0].body}
    assert inside.rows(TRIES) == [(503,), (500,), (204,)]


def test_a_receiver_that_has_gone_is_switched_off(inside: World, receiver: Receiver) -> None:
    endpoint(inside.conn, receiver.url)
    receiver.answers = [410]
    inside.start_worker()
    control.cancel(inside.conn, ASHA, inside.enqueue())
    inside.wait_for_rows(STATES, [("failed",)])
    assert inside.rows("SELECT active, off_because FROM webhook_endpoints") == [
        (False, "The receiver answered 410: it is gone for good.")
    ]
    assert inside.rows("SELECT actor, via FROM audit_log WHERE action = 'webhook.off'") == [
        ("worker", "worker")
    ]
    control.cancel(inside.conn, ASHA, inside.enqueue())
    assert len(inside.rows(STATES)) == 1


def test_this_machine_is_not_asked_unless_the_setting_says_so(world: World, receiver: Receiver) -> None:
    """The endpoint was added while it was allowed."""
    endpoint(world.conn, receiver.url)
    endpoint(world.conn, f"http://localhost:{receiver.port}/hook")
    world.start_worker()
    control.cancel(world.conn, ASHA, world.enqueue())
    world.wait_for_rows("SELECT count(*) FROM webhook_tries", [(2,)])
    told = world.rows("SELECT DISTINCT status, trouble FROM webhook_tries")
    assert len(told) == 1
    assert told[0][0] is None
    assert "HRIMS_WEBHOOK_PRIVATE" in told[0][1]
    assert receiver.all == []


def test_a_message_is_sent_again_with_its_id(inside: World, receiver: Receiver) -> None:
    endpoint(inside.conn, receiver.url)
    inside.start_worker()
    control.cancel(inside.conn, ASHA, inside.enqueue())
    first = receiver.next()
    inside.wait_for_rows(STATES, [("delivered",)])
    webhook_actions.send_again(inside.conn, BINTI, webhook_actions.find_message(inside.conn, key_of(inside)))
    second = receiver.next()
    inside.wait_for_rows(STATES, [("delivered",)])
    assert (second.headers["webhook-id"], second.body) == (first.headers["webhook-id"], first.body)
    inside.wait_for_rows(TRIES, [(204,), (204,)])


def test_a_test_tells_of_no_run(inside: World, receiver: Receiver) -> None:
    added = endpoint(inside.conn, receiver.url)
    inside.start_worker()
    webhook_actions.test(inside.conn, BINTI, added.id)
    received = receiver.next()
    assert verify(received, added.secret)
    assert json.loads(received.body)["type"] == "webhook.test"


def test_receivers_that_take_their_time_hold_up_no_run(inside: World, receiver: Receiver) -> None:
    """More messages than one worker sends at once, and none is answered."""
    receiver.hold.clear()
    for _ in range(6):
        endpoint(inside.conn, receiver.url)
    inside.start_worker()
    control.cancel(inside.conn, ASHA, inside.enqueue())
    for _ in range(4):
        receiver.next()
    assert inside.wait_for_end(inside.enqueue()).outcome == "complete"
    assert inside.rows("SELECT count(*) FROM webhook_tries") == [(0,)]
    assert len(receiver.all) == 4


def test_what_is_tried_again_stands_behind_what_is_new(inside: World, receiver: Receiver) -> None:
    """Four messages of which none was answered are due again, and a fifth is new: the new one comes first."""
    endpoint(inside.conn, receiver.url)
    receiver.answers = [500] * 4
    worker = inside.start_worker()
    for _ in range(4):
        webhook_actions.test(inside.conn, BINTI, 1)
    old = {receiver.next().headers["webhook-id"] for _ in range(4)}
    queued = "SELECT count(*) FROM procrastinate_jobs WHERE queue_name = 'webhooks' AND status = 'todo'"
    inside.wait_for_rows(queued, [(4,)])
    worker.terminate()
    worker.wait(30)
    new = webhook_actions.test(inside.conn, BINTI, 1)
    inside.conn.execute("UPDATE procrastinate_jobs SET scheduled_at = now()")
    receiver.hold.clear()
    inside.start_worker()
    first = {receiver.next().headers["webhook-id"] for _ in range(4)}
    assert new in first
    assert len(first & old) == 3


def test_a_worker_that_dies_while_it_sends_loses_no_message(inside: World, receiver: Receiver) -> None:
    endpoint(inside.conn, receiver.url)
    receiver.hold.clear()
    worker = inside.start_worker()
    control.cancel(inside.conn, ASHA, inside.enqueue())
    first = receiver.next()
    worker.kill()
    worker.wait()
    receiver.hold.set()
    inside.start_worker()
    second: Any = receiver.next()
    assert second.headers["webhook-id"] == first.headers["webhook-id"]
    inside.wait_for_rows(STATES, [("delivered",)])


def test_a_worker_that_is_asked_to_stop_hands_its_message_back(inside: World, receiver: Receiver) -> None:
    endpoint(inside.conn, receiver.url)
    receiver.hold.clear()
    worker = inside.start_worker()
    control.cancel(inside.conn, ASHA, inside.enqueue())
    receiver.next()
    worker.terminate()
    assert worker.wait(30) == 0
    assert inside.rows("SELECT status::text FROM procrastinate_jobs WHERE queue_name = 'webhooks'") == [
        ("todo",)
    ]
    assert inside.rows("SELECT count(*) FROM procrastinate_workers") == [(0,)]
    receiver.hold.set()
    inside.start_worker()
    receiver.next()
    inside.wait_for_rows(STATES, [("delivered",)])
