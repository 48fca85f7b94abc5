"""Each run's start and end is in the audit trail, in the transaction that starts or ends it."""

from typing import Any

import psycopg
import pytest
from psycopg_pool import AsyncConnectionPool

from hrims.db import AsyncPool, Connection
from hrims.jobs.attempts.store import Attempt
from tests.database.lists import Lists
from tests.database.runs import begin, enqueue_run_of, institution
from tests.database.test_save_page import save
from tests.database.test_webhook_endings import ENDS, End, completes
from tests.support.databases import execute_as_owner
from tests.support.people import record

ENDED = {
    "completes": ("completed", None),
    "is_incomplete": ("completed", None),
    "asked_again": ("completed", None),
    "fails": ("failed", "unexpected"),
    "is_cancelled": ("cancelled", None),
    "loses_its_worker": ("failed", "worker_died"),
    "loses_its_job": ("failed", "worker_died"),
}
"""The state after each end, and the reason."""


@pytest.fixture
async def run(conn: Connection, pool: AsyncPool) -> Attempt:
    """Return a run under way that has saved two people."""
    begun = await begin(conn, pool, enqueue_run_of(conn, institution(conn)))
    await save(begun, pool, [record(1), record(2)], total=2)
    return begun


def records(conn: Connection, action: str) -> list[Any]:
    """Return actor, via, run, institution, before, after, reason and details of the records of an action."""
    return conn.execute(
        "SELECT actor, via, run_id, institution_id, before, after, reason, details FROM audit_log"
        " WHERE action = %s ORDER BY id",
        (action,),
    ).fetchall()


async def test_a_start(conn: Connection, run: Attempt) -> None:
    details = {"kind": "sync", "attempt": 1, "requested_by": "asha"}
    assert records(conn, "run.start") == [
        ("system", "system", run.run_id, institution_id(conn), None, None, None, details)
    ]


@pytest.mark.parametrize("end", ENDS, ids=lambda end: end.__name__)
async def test_every_end(conn: Connection, pool: AsyncPool, run: Attempt, end: End) -> None:
    await end(conn, pool, run)
    [(_, _, run_id, institution_, before, after, reason, details)] = records(conn, "run.end")
    assert (run_id, institution_) == (run.run_id, institution_id(conn))
    assert (before, after, reason) == ("active", *ENDED[end.__name__])
    assert {"new": 2, "fetched": 2, "leavers": 0}.items() <= details.items()
    outcome = conn.execute("SELECT outcome FROM runs").fetchone()
    assert (details.get("outcome"),) == outcome


async def test_a_rollback_of_the_end_removes_the_record(
    conn: Connection, pool: AsyncPool, run: Attempt
) -> None:
    execute_as_owner(
        conn,
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$;"
        "CREATE CONSTRAINT TRIGGER zz_fail AFTER UPDATE OF state ON runs"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION fail()",
    )
    with pytest.raises(psycopg.errors.RaiseException):
        await completes(conn, pool, run)
    assert records(conn, "run.end") == []


async def test_a_worker_is_named_as_such(conn: Connection, dsn: str, run: Attempt) -> None:
    name = {"application_name": "hrims worker 123456789012 1 host"}
    async with AsyncConnectionPool(dsn, min_size=1, kwargs=name, open=False) as pool:
        await completes(conn, pool, run)
    [(actor, via, *_)] = records(conn, "run.end")
    assert (actor, via) == ("worker", "worker")


async def test_leavers_without_a_decision(lists: Lists) -> None:
    everyone = range(1, 40)
    for _ in range(1):
        await lists.run(everyone)
    await lists.run(range(2, 40))
    last = await lists.run(range(2, 40))
    [(_, _, run_id, _, _, _, _, details)] = records(lists.conn, "leavers.apply")
    assert (run_id, details) == (last, {"leavers": 1})


def institution_id(conn: Connection) -> int:
    """Return the id of the only institution."""
    [(id_,)] = conn.execute("SELECT id FROM institutions").fetchall()
    return int(id_)
