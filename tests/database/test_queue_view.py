"""The view queue_v: the order of the page, when each run starts, and why it waits."""

from typing import Any

from hrims.db import AsyncPool, Connection
from hrims.follow import store as follow
from hrims.jobs.attempts import store as attempts
from hrims.jobs.attempts.store import Attempt
from hrims.jobs.starts import decide
from hrims.limits import store as limits
from hrims.limits.store import Way
from tests.database.runs import ASHA, HRIMS, ask_for, begin, institution, live
from tests.database.test_starts import queue_one, take, worker

ALL = 100


def rows(conn: Connection, what: str) -> list[Any]:
    return conn.execute(f"SELECT {what} FROM queue_v".encode()).fetchall()


async def attempt(conn: Connection, pool: AsyncPool) -> Attempt:
    return await begin(conn, pool, ask_for(conn, institution(conn)))


async def test_runs_stand_in_the_order_and_start_at_the_time_that_the_page_tells(
    conn: Connection, pool: AsyncPool
) -> None:
    queued = [queue_one(conn, number) for number in range(8)]
    me = worker(conn)
    for _ in range(3):
        await begin(conn, pool, take(conn, me) or 0)
    decide.prioritise(conn, ASHA, queued[6], "urgent")
    decide.prioritise(conn, ASHA, queued[4], "low")
    conn.execute("UPDATE procrastinate_jobs SET scheduled_at = now() + interval '5 minutes' WHERE id = 6")
    decide.limit(conn, ASHA, 3)
    assert rows(conn, "job_id") == [(run.id,) for run in follow.under_way(conn, ALL, 0)]
    assert [place for (place,) in rows(conn, "place")] == list(range(1, 9))
    waiting = "SELECT count(*) FROM queue_v WHERE starts_at IS NOT NULL"
    assert conn.execute(waiting).fetchone() == (5,)
    # The two are asked one after the other, and both say "from now on".
    apart = "SELECT count(*) FROM queue_v WHERE abs(extract(epoch FROM starts_at - start_of_run(job_id))) < 1"
    assert conn.execute(apart).fetchone() == (5,)


async def test_one_that_runs_says_nothing_of_why(conn: Connection, pool: AsyncPool) -> None:
    await attempt(conn, pool)
    assert rows(conn, "state, why") == [("active", None)]


def test_one_that_may_start_waits_for_a_worker(conn: Connection) -> None:
    live(conn)
    ask_for(conn, institution(conn))
    assert rows(conn, "state, why, starts_at") == [("waiting", "No worker has taken it yet", None)]


def test_without_a_worker_it_says_which_one_is_lacking(conn: Connection) -> None:
    live(conn, "pemba")
    ask_for(conn, institution(conn))
    assert rows(conn, "why") == [("No worker is running",)]
    conn.execute("UPDATE runs SET pool = 'unguja'")
    assert rows(conn, "why") == [("No worker is running for the pool unguja",)]


async def test_workers_that_are_busy_are_said_to_be(conn: Connection, pool: AsyncPool) -> None:
    queued = [queue_one(conn, number) for number in range(3)]
    me = live(conn)
    for _ in range(2):
        await begin(conn, pool, take(conn, me) or 0)
    assert rows(conn, "job_id, why") == [
        (queued[0], None),
        (queued[1], None),
        (queued[2], "The workers carry out as many runs as they can at once"),
    ]


def test_quiet_hours_and_a_time_before_which_it_does_not_start(conn: Connection) -> None:
    live(conn)
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
    assert rows(conn, "job_id, why") == [
        (queued[2], "No worker has taken it yet"),
        (queued[0], "It is not due yet"),
        (queued[1], "It is not due yet"),
    ]
    told = "SELECT abs(extract(epoch FROM starts_at - start_of_run(job_id))) < 1 FROM queue_v"
    assert conn.execute(told).fetchall() == [(None,), (True,), (True,)]


def test_a_pool_without_workers_holds_up_nobody(conn: Connection) -> None:
    live(conn)
    queued = [queue_one(conn, number) for number in range(4)]
    conn.execute("UPDATE runs SET pool = 'unguja' WHERE id <= %s", (queued[1],))
    decide.limit(conn, ASHA, 1)
    told = "starts_at IS NULL, start_of_run(job_id) IS NULL"
    assert rows(conn, told) == [(True, True), (True, True), (True, True), (False, False)]


def test_a_paused_queue_says_who_and_why(conn: Connection) -> None:
    live(conn)
    ask_for(conn, institution(conn))
    decide.pause(conn, ASHA, "Mwisho wa mwezi")
    assert rows(conn, "why") == [("asha has paused the queue: Mwisho wa mwezi",)]


def test_a_paused_queue_foretells_no_start(conn: Connection) -> None:
    live(conn)
    queued = [queue_one(conn, number) for number in range(3)]
    decide.limit(conn, ASHA, 1)
    conn.execute("UPDATE runs SET not_before = now() + interval '1 hour' WHERE id = %s", (queued[0],))
    told = "starts_at IS NULL, start_of_run(job_id) IS NULL"
    foretold = rows(conn, told)
    assert (False, False) in foretold
    decide.pause(conn, ASHA, "Mwisho wa mwezi")
    assert rows(conn, told) == [(True, True)] * 3
    decide.go_on(conn, ASHA)
    assert rows(conn, told) == foretold


def test_one_whose_turn_has_not_come_says_the_limit(conn: Connection) -> None:
    decide.limit(conn, ASHA, 1)
    queue_one(conn, 1)
    queue_one(conn, 2)
    take(conn, worker(conn))
    conn.execute("UPDATE runs SET state = 'active' WHERE id = 1")
    assert rows(conn, "job_id, why") == [
        (1, None),
        (2, "Its turn has not come: starts in any minute: 1"),
    ]


async def test_one_that_failed_says_so(conn: Connection, pool: AsyncPool) -> None:
    one = await attempt(conn, pool)
    [(later,)] = conn.execute("SELECT now() + interval '1 minute'").fetchall()
    async with pool.connection() as other:
        await attempts.delay(other, one, later, "HRIMS is busy.", "remote_failed")
    assert rows(conn, "state, why") == [("delayed", "Attempt 1 failed: HRIMS is busy.")]


async def test_one_that_waits_while_the_remote_is_down_says_so(conn: Connection, pool: AsyncPool) -> None:
    live(conn)
    ask_for(conn, institution(conn))
    async with pool.connection() as other:
        await limits.open_breaker(other, Way("host", HRIMS), "HRIMS is down.", "down", 60)
    assert rows(conn, "why") == [("HRIMS is not asked just now: HRIMS is down.",)]
