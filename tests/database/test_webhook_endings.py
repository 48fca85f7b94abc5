"""However a run ends, it is told of in the transaction that ends it, or not at all: message and job."""

import json
import threading
from collections.abc import Awaitable, Callable
from dataclasses import replace

import psycopg
import pytest
from msgspec import to_builtins

from hrims.access.scope import EVERYTHING
from hrims.config import load
from hrims.db import AsyncPool, Connection
from hrims.errors import StaleAttempt
from hrims.jobs import control
from hrims.jobs.attempts import attempt as attempts
from hrims.jobs.attempts import store as jobs
from hrims.jobs.attempts.retry import RunFailed
from hrims.jobs.attempts.retry_policy import Deadline
from hrims.jobs.attempts.store import Attempt
from hrims.jobs.enqueue_person import enqueue_person
from hrims.jobs.queue import queue_run
from hrims.jobs.rescuer import task as rescuer
from hrims.runs import store as run_store
from hrims.sync import rejected
from hrims.sync.reconcile import Reconciliation, finish
from hrims.web.api.run_bodies import Result, RunStatus
from tests.database.runs import begin, enqueue_run_of, institution
from tests.database.test_save_page import save
from tests.database.webhooks import endpoint, payload, told
from tests.support.databases import BLOCKED, execute_as_owner
from tests.support.people import record
from tests.support.users import ASHA

End = Callable[[Connection, AsyncPool, Attempt], Awaitable[None]]

SUM = Reconciliation(people=2, rejected=0, seen_twice=0, is_total_stable=True, total=2, gaps=())


@pytest.fixture
async def run(conn: Connection, pool: AsyncPool) -> Attempt:
    """Return a run under way that has saved two people."""
    begun = await begin(conn, pool, enqueue_run_of(conn, institution(conn)))
    await save(begun, pool, [record(1), record(2)], total=2)
    return begun


async def completes(conn: Connection, pool: AsyncPool, run: Attempt) -> None:
    await finish(run, pool, load({}), SUM, repaired=False)


async def is_incomplete(conn: Connection, pool: AsyncPool, run: Attempt) -> None:
    await finish(run, pool, load({}), replace(SUM, total=5), repaired=False)


async def asked_again(conn: Connection, pool: AsyncPool, run: Attempt) -> None:
    await rejected._finish(run, pool)


async def fails(conn: Connection, pool: AsyncPool, run: Attempt) -> None:
    with pytest.raises(RunFailed):
        await attempts._record_failure(
            pool, load({"HRIMS_ATTEMPTS": "1"}), run, Deadline(None), RuntimeError("a fault")
        )


async def is_cancelled(conn: Connection, pool: AsyncPool, run: Attempt) -> None:
    control.cancel(conn, ASHA, run.run_id)


async def loses_its_worker(conn: Connection, pool: AsyncPool, run: Attempt) -> None:
    conn.execute("UPDATE runs SET rescues = 3")
    conn.execute("UPDATE procrastinate_jobs SET status = 'doing', worker_id = NULL")
    assert await rescuer.rescue_stalled(pool, 20.0) == 1


async def loses_its_job(conn: Connection, pool: AsyncPool, run: Attempt) -> None:
    conn.execute("UPDATE runs SET rescues = 3")
    conn.execute("UPDATE procrastinate_jobs SET status = 'failed'")
    assert await rescuer.rescue_orphans(queue_run, pool) == 1


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
async def test_every_end_is_sent_once_to_each_endpoint(
    conn: Connection, pool: AsyncPool, run: Attempt, end: End
) -> None:
    endpoint(conn)
    endpoint(conn)
    await end(conn, pool, run)
    assert told(conn) == [(1, run.run_id, ENDS[end]), (2, run.run_id, ENDS[end])]


@every_end
async def test_a_rollback_of_the_end_removes_the_message_and_its_job(
    conn: Connection, dsn: str, pool: AsyncPool, run: Attempt, end: End
) -> None:
    """The transaction fails at its last statement: the run continues, and no message was sent."""
    endpoint(conn)
    execute_as_owner(
        conn,
        """
        CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'raise_exception'; END $$;
        CREATE CONSTRAINT TRIGGER webhook_messages_fail AFTER INSERT ON webhook_messages
            DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail()
        """,
    )
    jobs_before = conn.execute("SELECT count(*) FROM procrastinate_jobs").fetchall()
    with pytest.raises(psycopg.errors.RaiseException):
        await end(conn, pool, run)
    assert conn.execute("SELECT state FROM runs").fetchall() == [("active",)]
    assert told(conn) == []
    assert conn.execute("SELECT count(*) FROM procrastinate_jobs").fetchall() == jobs_before


async def test_a_stale_attempt_sends_no_message(conn: Connection, pool: AsyncPool, run: Attempt) -> None:
    endpoint(conn)
    await begin(conn, pool, run.run_id)
    with pytest.raises(StaleAttempt):
        await completes(conn, pool, run)
    assert told(conn) == []


async def test_a_retry_sends_no_message(conn: Connection, pool: AsyncPool, run: Attempt) -> None:
    endpoint(conn)
    async with pool.connection() as other:
        assert await jobs.hand_back(other, run)
    await begin(conn, pool, run.run_id)
    assert told(conn) == []


async def test_a_disabled_endpoint_gets_no_message(conn: Connection, pool: AsyncPool, run: Attempt) -> None:
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


async def test_the_payload_equals_the_api_and_has_no_personal_data(
    conn: Connection, pool: AsyncPool, run: Attempt
) -> None:
    endpoint(conn)
    await completes(conn, pool, run)
    body = payload(conn)
    found = run_store.find_run(conn, EVERYTHING, run.run_id)
    assert found
    api = to_builtins(RunStatus.of(found)) | to_builtins(Result.of(found, []))
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
        assert body["data"].pop(name).removesuffix("Z") == api.pop(name).removesuffix("+00:00")
    extra = {"statusUrl": f"/api/hrims/job-status/{run.run_id}", "code": None, "trouble": None}
    assert body["data"] == api | extra
    assert (body["type"], body["data"]["employeeCount"], body["data"]["new"]) == ("run.completed", 2, 2)
    text = json.dumps(body)
    assert "Mtu" not in text
    assert "58033" not in text


def test_a_run_for_one_person_has_no_personal_data(conn: Connection) -> None:
    endpoint(conn)
    control.cancel(conn, ASHA, enqueue_person(conn, ASHA, "580330000").run_id)
    body = payload(conn)
    assert (body["data"]["kind"], body["data"]["institutionName"]) == ("person", "One person")
    assert "58033" not in json.dumps(body)


async def test_it_says_why_a_run_failed(conn: Connection, pool: AsyncPool, run: Attempt) -> None:
    endpoint(conn)
    await fails(conn, pool, run)
    data = payload(conn)["data"]
    assert (data["success"], data["outcome"], data["code"]) == (False, None, "unexpected")
    assert data["trouble"].startswith("Something went wrong inside HRIMS Sync.")


async def test_derived_numbers_are_in_the_payload(conn: Connection, pool: AsyncPool, run: Attempt) -> None:
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
        commit = threading.Thread(target=_wait_for_blocked_session, args=(dsn, remover))
        commit.start()
        await completes(conn, pool, run)
        commit.join()
    assert told(conn) == [(2, run.run_id, "run.completed")]


def _wait_for_blocked_session(dsn: str, remover: Connection) -> None:
    with psycopg.connect(dsn, autocommit=True) as conn:
        while not conn.execute(BLOCKED).fetchall():
            continue
    remover.commit()
