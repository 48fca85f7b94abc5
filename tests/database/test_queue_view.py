"""The view queue_v: the order of the page, when each run starts, and why it waits."""

import re
from typing import Any

from hrims.access.scope import EVERYTHING
from hrims.db import AsyncPool, Connection
from hrims.jobs.attempts import store as attempts
from hrims.jobs.attempts.store import Attempt
from hrims.jobs.rate_limit import actions
from hrims.limits import store as limits
from hrims.limits.store import RemoteRoute
from hrims.runs import messages
from hrims.runs import store as run_store
from tests.database.runs import HRIMS, begin, enqueue_run_of, institution, register_worker
from tests.database.test_rate_limit import queue_one, take, worker
from tests.support.users import ASHA

ALL = 100


def rows(conn: Connection, what: str) -> list[Any]:
    return conn.execute(f"SELECT {what} FROM queue_v".encode()).fetchall()


def codes(conn: Connection) -> dict[int, str | None]:
    """Return the code of each run in the order of the view, after a check that a run alone has the same."""
    found = dict(rows(conn, "job_id, why"))
    for run_id, code in found.items():
        run = run_store.find_run(conn, EVERYTHING, run_id)
        assert run is not None
        assert run.wait_code == code
    return found


async def attempt(conn: Connection, pool: AsyncPool) -> Attempt:
    return await begin(conn, pool, enqueue_run_of(conn, institution(conn)))


async def test_runs_stand_in_the_order_and_start_at_the_time_that_the_page_tells(
    conn: Connection, pool: AsyncPool
) -> None:
    queued = [queue_one(conn, number) for number in range(8)]
    me = worker(conn)
    for _ in range(3):
        await begin(conn, pool, take(conn, me) or 0)
    actions.set_priority(conn, ASHA, queued[6], "urgent")
    actions.set_priority(conn, ASHA, queued[4], "low")
    conn.execute("UPDATE procrastinate_jobs SET scheduled_at = now() + interval '5 minutes' WHERE id = 6")
    actions.set_limit(conn, ASHA, 3)
    assert rows(conn, "job_id") == [(run.id,) for run in run_store.list_unfinished(conn, EVERYTHING, ALL, 0)]
    assert [place for (place,) in rows(conn, "place")] == list(range(1, 9))
    waiting = "SELECT count(*) FROM queue_v WHERE starts_at IS NOT NULL"
    assert conn.execute(waiting).fetchone() == (5,)
    # The two are asked one after the other, and both say "from now on".
    apart = (
        "SELECT count(*) FROM queue_v WHERE abs(extract(epoch FROM starts_at - expected_start(job_id))) < 1"
    )
    assert conn.execute(apart).fetchone() == (5,)


async def test_one_that_runs_says_nothing_of_why(conn: Connection, pool: AsyncPool) -> None:
    await attempt(conn, pool)
    assert [*codes(conn).values()] == [None]


def test_one_that_may_start_waits_for_a_worker(conn: Connection) -> None:
    register_worker(conn)
    enqueue_run_of(conn, institution(conn))
    assert [*codes(conn).values()] == ["queued"]
    assert rows(conn, "state, starts_at") == [("waiting", None)]


def test_without_a_worker_it_says_which_one_is_lacking(conn: Connection) -> None:
    register_worker(conn, "pemba")
    enqueue_run_of(conn, institution(conn))
    assert [*codes(conn).values()] == ["no_worker"]
    conn.execute("UPDATE runs SET pool = 'unguja'")
    assert [*codes(conn).values()] == ["no_worker"]
    assert run_store.list_unfinished(conn, EVERYTHING, ALL, 0)[0].message == (
        "Waiting: no worker of the pool unguja is running."
    )


async def test_workers_that_are_busy_are_said_to_be(conn: Connection, pool: AsyncPool) -> None:
    queued = [queue_one(conn, number) for number in range(3)]
    me = register_worker(conn)
    for _ in range(2):
        await begin(conn, pool, take(conn, me) or 0)
    assert codes(conn) == {queued[0]: None, queued[1]: None, queued[2]: "workers_busy"}


def test_quiet_hours_and_a_time_before_which_it_does_not_start(conn: Connection) -> None:
    register_worker(conn)
    queued = [queue_one(conn, number) for number in range(3)]
    conn.execute(
        "UPDATE runs SET quiet_from = localtime - interval '1 hour',"
        " quiet_until = localtime + interval '1 hour',"
        " quiet_zone = current_setting('TimeZone') WHERE id = %s",
        (queued[0],),
    )
    conn.execute("UPDATE runs SET not_before = now() + interval '3 hours' WHERE id = %s", (queued[1],))
    conn.execute(
        "UPDATE procrastinate_jobs j SET scheduled_at = r.not_before FROM runs r WHERE r.queue_job_id = j.id"
    )
    assert [*codes(conn).items()] == [
        (queued[2], "queued"),
        (queued[0], "quiet_hours"),
        (queued[1], "spread"),
    ]
    columns = "SELECT abs(extract(epoch FROM starts_at - expected_start(job_id))) < 1 FROM queue_v"
    assert conn.execute(columns).fetchall() == [(None,), (True,), (True,)]


def test_a_pool_without_workers_delays_no_run(conn: Connection) -> None:
    register_worker(conn)
    queued = [queue_one(conn, number) for number in range(4)]
    conn.execute("UPDATE runs SET pool = 'unguja' WHERE id <= %s", (queued[1],))
    actions.set_limit(conn, ASHA, 1)
    columns = "starts_at IS NULL, expected_start(job_id) IS NULL"
    assert rows(conn, columns) == [(True, True), (True, True), (True, True), (False, False)]


def test_a_paused_queue_shows_actor_and_reason(conn: Connection) -> None:
    register_worker(conn)
    enqueue_run_of(conn, institution(conn))
    actions.pause(conn, ASHA, "Mwisho wa mwezi")
    assert [*codes(conn).values()] == ["paused"]


def test_a_paused_queue_foretells_no_start(conn: Connection) -> None:
    register_worker(conn)
    queued = [queue_one(conn, number) for number in range(3)]
    actions.set_limit(conn, ASHA, 1)
    conn.execute("UPDATE runs SET not_before = now() + interval '1 hour' WHERE id = %s", (queued[0],))
    columns = "starts_at IS NULL, expected_start(job_id) IS NULL"
    foretold = rows(conn, columns)
    assert (False, False) in foretold
    actions.pause(conn, ASHA, "Mwisho wa mwezi")
    assert rows(conn, columns) == [(True, True)] * 3
    actions.resume(conn, ASHA)
    assert rows(conn, columns) == foretold


def test_a_run_that_waits_for_its_turn_names_the_limit(conn: Connection) -> None:
    actions.set_limit(conn, ASHA, 1)
    queue_one(conn, 1)
    queue_one(conn, 2)
    take(conn, worker(conn))
    conn.execute("UPDATE runs SET state = 'active' WHERE id = 1")
    assert codes(conn) == {1: None, 2: "rate_limit"}


async def test_one_that_failed_says_so(conn: Connection, pool: AsyncPool) -> None:
    result = await attempt(conn, pool)
    [(later,)] = conn.execute("SELECT now() + interval '1 minute'").fetchall()
    async with pool.connection() as other:
        await attempts.delay(other, result, later, "HRIMS is busy.", "remote_failed")
    assert rows(conn, "state, why") == [("delayed", "retry")]
    assert [run.message for run in run_store.list_unfinished(conn, EVERYTHING, ALL, 0)] == [
        "Attempt 1 failed: HRIMS is busy. The next attempt starts automatically."
    ]


async def test_one_that_waits_while_the_remote_is_down_says_so(conn: Connection, pool: AsyncPool) -> None:
    register_worker(conn)
    enqueue_run_of(conn, institution(conn))
    async with pool.connection() as other:
        await limits.open_breaker(other, RemoteRoute("host", HRIMS), "HRIMS is down.", "down", 60)
    assert [*codes(conn).values()] == ["breaker_open"]
    (run,) = run_store.list_unfinished(conn, EVERYTHING, ALL, 0)
    assert run.message == "Waiting for HRIMS: circuit breaker open. HRIMS is down."
    assert run.waits_until == ("Next probe of HRIMS at", run.probe_at)


def test_each_code_has_a_message(conn: Connection) -> None:
    definition = conn.execute("SELECT pg_get_functiondef('wait_code'::regproc)").fetchall()[0][0]
    assert re.findall(r"(?:THEN|ELSE) '(\w+)'", definition) == [*messages.WAITS]
