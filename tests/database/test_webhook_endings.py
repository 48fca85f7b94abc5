"""However a run ends, it is told of in the transaction that ends it, or not at all: message and job."""

import json
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import psycopg
import pytest

from hrims.config import load
from hrims.db import AsyncPool, Connection
from hrims.errors import Fenced
from hrims.follow import store as follow
from hrims.jobs import control
from hrims.jobs.ask_person import ask_person
from hrims.jobs.attempts import attempt as attempts
from hrims.jobs.attempts import store as jobs
from hrims.jobs.attempts.patience import Deadline
from hrims.jobs.attempts.retry import GivenUp
from hrims.jobs.attempts.store import Attempt
from hrims.jobs.queue import queue_run
from hrims.jobs.rescue import watch
from hrims.sync import rejected
from hrims.sync.reconcile import Sum, finish
from hrims.web import answers
from tests.database.runs import ASHA, ask_for, begin, institution
from tests.database.test_save_page import save
from tests.database.webhooks import endpoint, payload, told
from tests.people import record

End = Callable[[Connection, AsyncPool, Attempt], Awaitable[None]]

SUM = Sum(people=2, rejected=0, repeats=0, steady=True, total=2, gaps=())


@pytest.fixture
async def run(conn: Connection, pool: AsyncPool) -> Attempt:
    """A run under way that has saved two people."""
    begun = await begin(conn, pool, ask_for(conn, institution(conn)))
    await save(begun, pool, [record(1), record(2)], total=2)
    return begun


async def completes(conn: Connection, pool: AsyncPool, run: Attempt) -> None:
    await finish(run, pool, load({}), SUM, repaired=False)


async def is_incomplete(conn: Connection, pool: AsyncPool, run: Attempt) -> None:
    await finish(run, pool, load({}), replace(SUM, total=5), repaired=False)


async def asked_again(conn: Connection, pool: AsyncPool, run: Attempt) -> None:
    await rejected._finish(run, pool)


async def fails(conn: Connection, pool: AsyncPool, run: Attempt) -> None:
    with pytest.raises(GivenUp):
        await attempts._failed(
            pool, load({"HRIMS_ATTEMPTS": "1"}), run, Deadline(None), RuntimeError("a fault")
        )


async def is_cancelled(conn: Connection, pool: AsyncPool, run: Attempt) -> None:
    control.cancel(conn, ASHA, run.run_id)


async def loses_its_worker(conn: Connection, pool: AsyncPool, run: Attempt) -> None:
    conn.execute("UPDATE runs SET rescues = 3")
    conn.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = NULL")
    assert await watch.rescue_stalled(pool, 20.0) == 1


async def loses_its_job(conn: Connection, pool: AsyncPool, run: Attempt) -> None:
    conn.execute("UPDATE runs SET rescues = 3")
    conn.execute("UPDATE procrastinate_jobs SET status = 'failed'")
    assert await watch.rescue_orphans(queue_run, pool) == 1


ENDS: dict[End, str] = {
    completes: "run.completed",
    is_incomplete: "run.completed",
    asked_again: "run.completed",
    fails: "run.failed",
    is_cancelled: "run.cancelled",
    loses_its_worker: "run.failed",
    loses_its_job: "run.failed",
}

every_end = pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)


@every_end
async def test_every_end_is_told_once_to_each_endpoint(
    conn: Connection, pool: AsyncPool, run: Attempt, end: End
) -> None:
    endpoint(conn)
    endpoint(conn)
    await end(conn, pool, run)
    assert told(conn) == [(1, run.run_id, ENDS[end]), (2, run.run_id, ENDS[end])]


@every_end
async def test_what_undoes_the_end_undoes_the_message_and_its_job(
    conn: Connection, dsn: str, pool: AsyncPool, run: Attempt, end: End
) -> None:
    """The last moment of the transaction fails: the run goes on, and nobody was told."""
    endpoint(conn)
    conn.execute(
        """
        CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'raise_exception'; END $$;
        CREATE CONSTRAINT TRIGGER webhook_messages_fail AFTER INSERT ON webhook_messages
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail()
        """
    )
    jobs_before = conn.execute("SELECT count(*) FROM procrastinate_jobs").fetchall()
    with pytest.raises(psycopg.errors.RaiseException):
        await end(conn, pool, run)
    assert conn.execute("SELECT state FROM runs").fetchall() == [("active",)]
    assert told(conn) == []
    assert conn.execute("SELECT count(*) FROM procrastinate_jobs").fetchall() == jobs_before


async def test_an_attempt_that_was_overtaken_tells_nobody(
    conn: Connection, pool: AsyncPool, run: Attempt
) -> None:
    endpoint(conn)
    await begin(conn, pool, run.run_id)
    with pytest.raises(Fenced):
        await completes(conn, pool, run)
    assert told(conn) == []


async def test_what_is_no_end_is_not_told(conn: Connection, pool: AsyncPool, run: Attempt) -> None:
    endpoint(conn)
    async with pool.connection() as other:
        assert await jobs.hand_back(other, run)
    await begin(conn, pool, run.run_id)
    assert told(conn) == []


async def test_nobody_is_told_who_is_switched_off(conn: Connection, pool: AsyncPool, run: Attempt) -> None:
    endpoint(conn)
    conn.execute("UPDATE webhook_endpoints SET active = false")
    await completes(conn, pool, run)
    assert told(conn) == []


async def test_a_run_that_is_tried_again_tells_of_both_ends(
    conn: Connection, pool: AsyncPool, run: Attempt
) -> None:
    endpoint(conn)
    control.cancel(conn, ASHA, run.run_id)
    control.retry(conn, ASHA, run.run_id)
    await completes(conn, pool, await begin(conn, pool, run.run_id))
    assert [event for *_, event in told(conn)] == ["run.cancelled", "run.completed"]


async def test_it_says_what_the_api_says_and_nothing_of_anybody(
    conn: Connection, pool: AsyncPool, run: Attempt
) -> None:
    endpoint(conn)
    await completes(conn, pool, run)
    said = payload(conn)
    found = follow.read(conn, run.run_id)
    assert found
    api = answers.result(found, []) | answers.status(found)
    of_waiting = (
        "nextTryAt",
        "startsAt",
        "priority",
        "pool",
        "attempts",
        "attemptPause",
        "deadlineAt",
        "partial",
        "lastCompleted",
    )
    for left_out in ("employees", "message", "attempt", "requestedBy", "pageSize", *of_waiting):
        del api[left_out]
    moments = ("requestedAt", "startedAt", "finishedAt")
    for name in moments:
        assert said["data"].pop(name).removesuffix("Z") == api.pop(name).removesuffix("+00:00")
    extra = {"statusUrl": f"/api/hrims/job-status/{run.run_id}", "code": None, "trouble": None}
    assert said["data"] == api | extra
    assert (said["type"], said["data"]["employeeCount"], said["data"]["new"]) == ("run.completed", 2, 2)
    text = json.dumps(said)
    assert "Mtu" not in text
    assert "58033" not in text


def test_a_run_for_one_person_names_nobody(conn: Connection) -> None:
    endpoint(conn)
    control.cancel(conn, ASHA, ask_person(conn, ASHA, "580330000").run_id)
    said = payload(conn)
    assert (said["data"]["kind"], said["data"]["institutionName"]) == ("person", "One person")
    assert "58033" not in json.dumps(said)


async def test_it_says_why_a_run_failed(conn: Connection, pool: AsyncPool, run: Attempt) -> None:
    endpoint(conn)
    await fails(conn, pool, run)
    data = payload(conn)["data"]
    assert (data["success"], data["outcome"], data["code"]) == (False, None, "unexpected")
    assert data["trouble"].startswith("Something went wrong inside HRIMS Sync.")


async def test_numbers_that_follow_from_the_end_are_told_too(
    conn: Connection, pool: AsyncPool, run: Attempt
) -> None:
    """They are written after the run's end, in the same transaction."""
    endpoint(conn)
    async with pool.connection() as other:
        assert await jobs.fail(other, run, "HRIMS timed out.", "remote_timeout")
        await other.execute("UPDATE run_progress SET leavers = 7")
    assert payload(conn)["data"]["leavers"] == 7


async def test_an_endpoint_that_is_being_removed_undoes_no_end(
    conn: Connection, dsn: str, pool: AsyncPool, run: Attempt
) -> None:
    endpoint(conn)
    endpoint(conn)
    with psycopg.connect(dsn) as remover:
        remover.execute("DELETE FROM webhook_endpoints WHERE id = 1")
        commit = threading.Thread(target=_once_somebody_waits, args=(dsn, remover))
        commit.start()
        await completes(conn, pool, run)
        commit.join()
    assert told(conn) == [(2, run.run_id, "run.completed")]


def _once_somebody_waits(dsn: str, remover: Connection) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        waits: Any = (0,)
        while waits == (0,):
            waits = conn.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND wait_event_type = 'Lock'"
            ).fetchone()
    remover.commit()
