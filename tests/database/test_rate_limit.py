"""The rate limit of starts a minute is counted in Postgres over all workers."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from hrims.batches import actions as batches
from hrims.db import Connection
from hrims.jobs import control, enqueue
from hrims.jobs.attempts.retry_policy import DEFAULT_POLICY
from hrims.jobs.rate_limit import actions
from hrims.jobs.rate_limit.priorities import PRIORITIES
from hrims.jobs.store import FENCED
from hrims.jobs.workers import pools
from tests.database.runs import institution, register_worker, wait_until_blocked
from tests.support.databases import execute_as_owner
from tests.support.users import ASHA

LIMIT = 5


@pytest.fixture
def queued(conn: Connection) -> list[int]:
    """Return a dozen runs of as many institutions, in the order in which they were asked for."""
    return [queue_one(conn, number) for number in range(12)]


def queue_one(conn: Connection, number: int) -> int:
    """Return a queued run of an institution of its own."""
    vote = f"{number:03d}"
    requested = enqueue.enqueue_run(
        conn,
        ASHA,
        institution_id=institution(conn, f"TAASISI {vote}", vote, f"1562558{number:02d}"),
        identifier_type="votecode",
        identifier=vote,
    )
    return requested.run_id


def worker(conn: Connection) -> int:
    """Return a worker that lives."""
    return register_worker(conn)


def take(conn: Connection, worker_id: int) -> int | None:
    """Return the run whose job the worker gets, None when it gets none."""
    cursor = conn.execute(FENCED["fetch"], {"queues": ["sync"], "worker_id": worker_id})
    assert cursor.description
    job = dict(zip([column.name for column in cursor.description], cursor.fetchone() or (), strict=True))
    return job["args"]["run_id"] if job["id"] else None


def opens_in(conn: Connection) -> float | None:
    """Return seconds to the next start, as a worker is told."""
    row = conn.execute(FENCED["next_start"], {"queues": None, "worker_id": 0}).fetchone()
    assert row
    return None if row[0] is None else float(row[0])


def later(conn: Connection, seconds: float) -> None:
    """Move all starts ``seconds`` seconds into the past."""
    conn.execute("UPDATE run_starts SET at = at - %s", (timedelta(seconds=seconds),))


def test_no_more_than_so_many_start_in_a_minute(conn: Connection, queued: list[int]) -> None:
    me = worker(conn)
    assert [take(conn, me) for _ in range(LIMIT + 1)] == [*queued[:LIMIT], None]
    later(conn, 59)
    assert take(conn, me) is None
    wait = opens_in(conn)
    assert wait is not None
    assert 0 < wait <= 1.5
    later(conn, wait + 1)
    assert [take(conn, me) for _ in range(LIMIT + 1)] == [*queued[LIMIT : 2 * LIMIT], None]


def test_workers_that_ask_at_once_share_the_limit(conn: Connection, dsn: str, queued: list[int]) -> None:
    def ask_often() -> list[int | None]:
        with psycopg.connect(dsn, autocommit=True) as own_conn:
            me = worker(own_conn)
            return [take(own_conn, me) for _ in range(4)]

    with ThreadPoolExecutor(8) as threads:
        received = [thread.result() for thread in [threads.submit(ask_often) for _ in range(8)]]
    assert sorted(run for runs in received for run in runs if run) == queued[:LIMIT]


def test_a_start_waits_for_the_one_that_is_being_written(
    conn: Connection, dsn: str, queued: list[int]
) -> None:
    conn.execute("UPDATE queue_settings SET starts_by_person = 1")
    with psycopg.connect(dsn) as first, psycopg.connect(dsn, autocommit=True) as second:
        one, two = worker(conn), worker(conn)
        assert take(first, one) == queued[0]
        with ThreadPoolExecutor(1) as thread:
            other = thread.submit(take, second, two)
            asyncio.run(wait_until_blocked(conn))
            first.commit()
            assert other.result() is None


def test_a_retry_and_a_rescue_count_as_starts(conn: Connection, queued: list[int]) -> None:
    me = worker(conn)
    for _ in range(LIMIT):
        assert take(conn, me) == queued[0]
        conn.execute("UPDATE procrastinate_jobs SET status = 'todo' WHERE status = 'doing'")
    assert take(conn, me) is None


def test_nothing_starts_while_the_queue_is_paused(conn: Connection, queued: list[int]) -> None:
    me = worker(conn)
    conn.execute(
        "UPDATE queue_settings SET paused_at = now(), paused_by = 'asha', paused_why = 'Mwisho wa mwezi'"
    )
    assert take(conn, me) is None
    assert opens_in(conn) is None
    conn.execute("UPDATE queue_settings SET paused_at = NULL, paused_by = NULL, paused_why = NULL")
    assert take(conn, me) == queued[0]


def test_higher_priorities_start_first(conn: Connection, queued: list[int]) -> None:
    me = worker(conn)
    conn.execute(
        "UPDATE procrastinate_jobs j SET priority = 10 FROM runs r WHERE r.queue_job_id = j.id AND r.id = %s",
        (queued[7],),
    )
    assert [take(conn, me) for _ in range(3)] == [queued[7], queued[0], queued[1]]


def test_a_run_without_requests_needs_no_start(conn: Connection, queued: list[int]) -> None:
    me = worker(conn)
    for _ in range(LIMIT):
        take(conn, me)
    execute_as_owner(conn, "ALTER TABLE runs DISABLE TRIGGER USER")
    conn.execute("UPDATE runs SET kind = 'apply', of_run_id = %s WHERE id = %s", (queued[0], queued[9]))
    assert take(conn, me) == queued[9]
    assert take(conn, me) is None
    assert conn.execute("SELECT count(*) FROM run_starts").fetchone() == (LIMIT,)


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_the_foretold_time_is_that_at_which_it_starts(
    conn: Connection, queued: list[int], limit: int
) -> None:
    """Told for each place of the queue, then lived through."""
    conn.execute("UPDATE queue_settings SET starts_by_person = %s", (limit,))
    me = worker(conn)
    for _ in range(limit):
        assert take(conn, me)
        later(conn, 7)
    foretold: list[Any] = [
        conn.execute(
            "SELECT extract(epoch FROM earliest_start(%s) - clock_timestamp())::float8", (place,)
        ).fetchall()[0][0]
        for place in range(1, 13 - limit)
    ]
    passed = 0.0
    for run, estimate in zip(queued[limit:], foretold, strict=True):
        while (wait := opens_in(conn) or 0.0) > 0:
            later(conn, wait)
            passed += wait
        assert take(conn, me) == run
        assert passed == pytest.approx(max(estimate, 0), abs=1.0)


@pytest.mark.parametrize("action", ["prioritise", "care", "cancel", "batch"])
def test_actions_on_a_run_never_wait_for_its_start(conn: Connection, dsn: str, action: str) -> None:
    """A starting worker locks the job and then needs the run's key.

    A transaction that locks the run and then the job must leave it that key, or the two deadlock.
    """
    first = institution(conn)
    batch = batches.enqueue_batch(conn, ASHA, "all").batch_id
    [(run_id,)] = conn.execute("SELECT id FROM runs").fetchall()
    deeds: dict[str, Any] = {
        "prioritise": lambda: actions.set_priority(conn, ASHA, run_id, "urgent"),
        "care": lambda: pools.set_run_policy(conn, ASHA, first, "health", DEFAULT_POLICY),
        "cancel": lambda: control.cancel(conn, ASHA, run_id),
        "batch": lambda: batches.cancel_batch(conn, ASHA, batch),
    }
    with psycopg.connect(dsn) as worker:
        worker.execute("SELECT FROM runs WHERE id = %s FOR KEY SHARE", (run_id,))
        conn.execute("SET lock_timeout = '5s'")
        deeds[action]()


def test_queue_names_and_priorities_are_the_same_in_sql(conn: Connection) -> None:
    for pool in (None, "health"):
        assert conn.execute("SELECT queue_name(%s::text)", (pool,)).fetchone() == (pools.queue_name(pool),)
    for priority, number in PRIORITIES.items():
        assert conn.execute("SELECT priority_number(%s)", (priority,)).fetchone() == (number,)
