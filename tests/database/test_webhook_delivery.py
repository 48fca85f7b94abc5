"""A message from its job to its end: who has a say in it, what is kept of a try, and what is tidied up."""

import asyncio
from typing import Any

import psycopg
import pytest

from hrims.config import Settings, load
from hrims.db import AsyncPool, Connection
from hrims.jobs.attempts.retry import RetryLater
from hrims.jobs.rescuer import task as rescuer
from hrims.webhooks import actions, store, task
from hrims.webhooks.delivery import attempt, backoff
from tests.database.webhooks import PRIVATE, endpoint
from tests.support.encryption import KEY, OTHER_KEY
from tests.support.receiver import Receiver
from tests.support.users import BINTI

PUBLIC = load({"HRIMS_ENCRYPTION_KEY": KEY})


def message(conn: Connection, url: str) -> tuple[int, int]:
    """Return a message on its way and its job: (message, job)."""
    actions.test(conn, BINTI, endpoint(conn, url).id)
    [found] = conn.execute(
        "SELECT id, queue_job_id FROM webhook_messages ORDER BY id DESC LIMIT 1"
    ).fetchall()
    return int(found[0]), int(found[1])


def stands(conn: Connection) -> Any:
    return conn.execute("SELECT state, failures, trouble FROM webhook_messages").fetchone()


async def test_it_works(conn: Connection, pool: AsyncPool) -> None:
    with Receiver() as receiver:
        id_, job = message(conn, receiver.url)
        await attempt.deliver_message(pool, PRIVATE, id_, job)
        assert stands(conn) == ("delivered", 0, None)
        await attempt.deliver_message(pool, PRIVATE, id_, job)
        assert len(receiver.all) == 1
    [stored] = store.list_attempts(conn, id_)
    assert (stored.number, stored.status, stored.trouble) == (1, 204, None)


async def test_a_job_that_was_replaced_sends_nothing(conn: Connection, pool: AsyncPool) -> None:
    with Receiver() as receiver:
        id_, job = message(conn, receiver.url)
        await attempt.deliver_message(pool, PRIVATE, id_, job + 1)
        assert receiver.all == []
    assert stands(conn) == ("waiting", 0, None)


@pytest.mark.parametrize("status", [204, 500])
async def test_a_job_that_is_replaced_while_the_receiver_responds_changes_nothing(
    conn: Connection, pool: AsyncPool, status: int
) -> None:
    """The new job attempts the delivery: it has the message's next attempt and its state."""
    with Receiver(status) as receiver:
        id_, job = message(conn, receiver.url)
        receiver.hold.clear()
        delivery = asyncio.create_task(attempt.deliver_message(pool, PRIVATE, id_, job))
        await asyncio.to_thread(receiver.next)
        conn.execute("UPDATE procrastinate_jobs SET status = 'failed'")
        await task.rescue_orphans(pool)
        receiver.hold.set()
        await delivery
    assert stands(conn) == ("waiting", 0, None)
    [(new_job,)] = conn.execute("SELECT queue_job_id FROM webhook_messages").fetchall()
    assert new_job > job


async def test_a_message_whose_endpoint_was_removed_is_forgotten(conn: Connection, pool: AsyncPool) -> None:
    with Receiver() as receiver:
        id_, job = message(conn, receiver.url)
        actions.remove(conn, BINTI, 1)
        await attempt.deliver_message(pool, PRIVATE, id_, job)
        assert receiver.all == []
    message(conn, "https://receiver.example")
    await task.delete_expired_messages(pool, PRIVATE)
    assert conn.execute("SELECT id FROM webhook_endpoints").fetchall() == [(2,)]
    assert conn.execute("SELECT endpoint_id FROM webhook_messages").fetchall() == [(2,)]


async def test_an_endpoint_that_is_off_gets_nothing_and_it_is_said(conn: Connection, pool: AsyncPool) -> None:
    with Receiver() as receiver:
        id_, job = message(conn, receiver.url)
        actions.switch(conn, BINTI, 1, on=False)
        await attempt.deliver_message(pool, PRIVATE, id_, job)
        assert receiver.all == []
    assert stands(conn) == ("failed", 1, attempt.OFF)


async def test_nine_tries_and_it_has_failed(conn: Connection, pool: AsyncPool) -> None:
    with Receiver(*[500] * 20) as receiver:
        id_, job = message(conn, receiver.url)
        for failures in range(1, len(backoff.BACKOFF_SECONDS) + 1):
            with pytest.raises(RetryLater):
                await attempt.deliver_message(pool, PRIVATE, id_, job)
            assert stands(conn) == ("waiting", failures, "The receiver answered 500.")
        await attempt.deliver_message(pool, PRIVATE, id_, job)
        assert stands(conn) == ("failed", 9, "The receiver answered 500.")
        assert len(receiver.all) == 9
    assert [attempt.number for attempt in store.list_attempts(conn, id_)] == list(range(9, 0, -1))


async def test_the_next_try_is_when_the_message_says(conn: Connection, pool: AsyncPool) -> None:
    with Receiver(500) as receiver:
        id_, job = message(conn, receiver.url)
        with pytest.raises(RetryLater) as again:
            await attempt.deliver_message(pool, PRIVATE, id_, job)
    assert conn.execute("SELECT next_try_at FROM webhook_messages").fetchone() == (again.value.at,)


async def test_what_is_sent_again_has_a_full_set_of_tries_and_goes_on_counting(
    conn: Connection, pool: AsyncPool
) -> None:
    with Receiver(410) as receiver:
        id_, job = message(conn, receiver.url)
        await attempt.deliver_message(pool, PRIVATE, id_, job)
        actions.switch(conn, BINTI, 1, on=True)
        [found] = store.list_messages(conn, 10)
        actions.send_again(conn, BINTI, found)
        assert stands(conn) == ("waiting", 0, None)
        [(again,)] = conn.execute("SELECT queue_job_id FROM webhook_messages").fetchall()
        assert again != job
        await attempt.deliver_message(pool, PRIVATE, id_, again)
    assert [(attempt.number, attempt.status) for attempt in store.list_attempts(conn, id_)] == [
        (2, 204),
        (1, 410),
    ]


async def test_private_addresses_take_the_setting(conn: Connection, pool: AsyncPool) -> None:
    with Receiver() as receiver:
        id_, job = message(conn, receiver.url)
        with pytest.raises(RetryLater):
            await attempt.deliver_message(pool, PUBLIC, id_, job)
        assert receiver.all == []


async def test_a_worker_with_another_key_leaves_the_message_to_others(
    conn: Connection, pool: AsyncPool
) -> None:
    other = load({"HRIMS_WEBHOOK_PRIVATE": "yes", "HRIMS_ENCRYPTION_KEY": OTHER_KEY})
    with Receiver() as receiver:
        id_, job = message(conn, receiver.url)
        with pytest.raises(RetryLater):
            await attempt.deliver_message(pool, other, id_, job)
        assert receiver.all == []
        state, failures, trouble = stands(conn)
        assert (state, failures) == ("waiting", 1)
        assert "Give every machine the same HRIMS_ENCRYPTION_KEY" in trouble
        [(job,)] = conn.execute("SELECT queue_job_id FROM webhook_messages").fetchall()
        await attempt.deliver_message(pool, PRIVATE, id_, job)
        assert len(receiver.all) == 1


@pytest.mark.parametrize("status", ["failed", "succeeded", "aborted", "cancelled"])
async def test_a_message_that_lost_its_job_gets_another(
    conn: Connection, pool: AsyncPool, status: str
) -> None:
    id_, job = message(conn, "https://receiver.example")
    await task.rescue_orphans(pool)
    assert conn.execute("SELECT queue_job_id FROM webhook_messages").fetchone() == (job,)
    conn.execute("UPDATE procrastinate_jobs SET status = %s", (status,))
    await task.rescue_orphans(pool)
    rows = conn.execute(
        "SELECT j.status::text, j.args FROM webhook_messages m"
        " JOIN procrastinate_jobs j ON j.id = m.queue_job_id"
    ).fetchall()
    assert rows == [("todo", {"message_id": id_})]


async def test_the_job_of_a_dead_worker_is_queued_again(conn: Connection, pool: AsyncPool) -> None:
    _, job = message(conn, "https://receiver.example")
    for _ in range(5):
        conn.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = NULL")
        assert await rescuer.rescue_stalled(pool, 20.0) == 1
        assert conn.execute("SELECT id, status::text FROM procrastinate_jobs").fetchall() == [(job, "todo")]


async def test_old_messages_go_and_others_stay(conn: Connection, pool: AsyncPool) -> None:
    for _ in range(3):
        message(conn, "https://receiver.example")
    conn.execute("UPDATE webhook_messages SET state = 'failed', ended_at = now() WHERE id > 1")
    conn.execute("UPDATE webhook_messages SET ended_at = now() - interval '31 days' WHERE id = 3")
    conn.execute("UPDATE webhook_messages SET created_at = now() - interval '31 days' WHERE id = 1")
    await task.delete_expired_messages(pool, PRIVATE)
    assert conn.execute("SELECT id FROM webhook_messages ORDER BY id").fetchall() == [(1,), (2,)]


@pytest.mark.parametrize(
    "change",
    [
        "state = 'delivered'", "ended_at = now()", "event = 'run.began'", "key = 'msg_1'",
        "state = 'failed', ended_at = now(), next_try_at = now()", "failures = -1",
    ],
)  # fmt: skip
def test_the_database_keeps_the_rules(conn: Connection, change: str) -> None:
    message(conn, "https://receiver.example")
    with pytest.raises(psycopg.errors.CheckViolation):
        conn.execute(f"UPDATE webhook_messages SET {change}".encode())


def test_the_settings_default_is_the_safe_one() -> None:
    assert isinstance(PRIVATE, Settings)
    assert load({}).webhook_private is False
