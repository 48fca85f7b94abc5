"""Statements that fail for a while or for good: which are repeated, for how long, and what is said then."""

import asyncio
import contextlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import procrastinate
import psycopg
import pytest

from hrims import resilience
from hrims.config import load
from hrims.db import AsyncPool, Connection
from hrims.jobs.attempts.attempt import run_attempt
from hrims.jobs.attempts.retry import RetryLater
from hrims.jobs.attempts.retry_policy import Deadline
from hrims.jobs.attempts.store import Attempt
from hrims.jobs.job_manager import FencedJobManager
from hrims.resilience import retry_on_disconnect, run_periodically
from tests.database.runs import enqueue_run_of, institution, register_worker
from tests.support.databases import clone, count_deadlocks, execute_as_owner

RAISE = "DO $$ BEGIN RAISE EXCEPTION 'injected' USING ERRCODE = '{}'; END $$"

TOO_SLOW = "SET LOCAL statement_timeout = '50ms'; SELECT pg_sleep(60)"
TOO_LARGE = "SELECT repeat('x', 2000000000)"

NEVER = [
    (TOO_SLOW, "57014"),
    (TOO_LARGE, "54000"),
    *((RAISE.format(code), code) for code in ("53400", "54001", "57014", "25P02", "XX000")),
]
"""Statements that never succeed, and their SQLSTATE."""


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeat soon; give up soon, though never after the first error."""
    monkeypatch.setattr(resilience, "MAX_BACKOFF", 0.01)
    monkeypatch.setattr(resilience, "UNCLEAR_SECONDS", 0.2)


class Work:
    """A transaction that fails ``failures`` times, for ever if that is None; ``tries`` counts."""

    def __init__(self, pool: AsyncPool, statement: str, failures: int | None = None) -> None:
        self._pool, self._statement, self._failures = pool, statement, failures
        self.tries = 0

    async def __call__(self) -> str:
        self.tries += 1
        async with self._pool.connection() as conn:
            if self._failures is None or self.tries <= self._failures:
                await conn.execute(self._statement.encode())
        return "done"


@pytest.mark.parametrize(("statement", "code"), NEVER)
async def test_a_statement_that_cannot_succeed_is_repeated_for_a_time(
    pool: AsyncPool, statement: str, code: str
) -> None:
    work = Work(pool, statement)
    async with asyncio.timeout(60):
        with pytest.raises(psycopg.Error) as raised:
            await retry_on_disconnect(work)
    assert raised.value.sqlstate == code
    assert work.tries > 1


@pytest.mark.parametrize("code", ["08006", "25006", "53100", "53300", "55000", "55P03", "57P01", "58030"])
async def test_an_outage_is_waited_for_without_end(
    pool: AsyncPool, monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    monkeypatch.setattr(resilience, "UNCLEAR_SECONDS", -1.0)
    many = 3 * resilience.MAX_CONFLICTS
    work = Work(pool, RAISE.format(code), failures=many)
    assert await retry_on_disconnect(work) == "done"
    assert work.tries == many + 1


@pytest.mark.parametrize("code", ["40001", "40P01"])
async def test_a_conflict_is_repeated_a_few_times(pool: AsyncPool, code: str) -> None:
    passing = Work(pool, RAISE.format(code), failures=resilience.MAX_CONFLICTS - 1)
    assert await retry_on_disconnect(passing) == "done"
    lasting = Work(pool, RAISE.format(code))
    async with asyncio.timeout(60):
        with pytest.raises(psycopg.OperationalError):
            await retry_on_disconnect(lasting)
    assert lasting.tries == resilience.MAX_CONFLICTS


async def test_a_deadlock_is_logged_as_one(pool: AsyncPool, caplog: pytest.LogCaptureFixture) -> None:
    await retry_on_disconnect(Work(pool, RAISE.format("40P01"), failures=1))
    await retry_on_disconnect(Work(pool, RAISE.format("40001"), failures=1))
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("ERROR", 'deadlock_retried error="DeadlockDetected 40P01" retries=1'),
        ("WARNING", 'database_retried error="SerializationFailure 40001" retries=1'),
    ]


@pytest.fixture
def other_dsn(server_dsn: str, template_database: str) -> Iterator[str]:
    """DSN of a database in which deadlocks are allowed."""
    with clone(server_dsn, template_database) as made:
        yield made


def test_a_deadlock_is_counted(server_dsn: str, other_dsn: str) -> None:
    """Proves the check that every other test of this folder has."""
    with psycopg.connect(other_dsn) as one, psycopg.connect(other_dsn) as two, ThreadPoolExecutor() as thread:
        for session, key in ((one, 1), (two, 2)):
            session.execute("SELECT pg_advisory_xact_lock(%s)", (key,))
        waiting = thread.submit(_lock_and_end, one, 2)
        assert sorted([_lock_and_end(two, 1), waiting.result(60)]) == [False, True]
    assert count_deadlocks(server_dsn, other_dsn) == 1


def _lock_and_end(session: Connection, key: int) -> bool:
    with contextlib.suppress(psycopg.errors.DeadlockDetected), session:
        session.execute("SELECT pg_advisory_xact_lock(%s)", (key,))
        return True
    return False


async def test_an_attempt_with_a_statement_that_cannot_succeed_fails_in_words(
    conn: Connection, pool: AsyncPool
) -> None:
    run_id = enqueue_run_of(conn, institution(conn))
    row = conn.execute("SELECT queue_job_id FROM runs WHERE id = %s", (run_id,)).fetchone()
    assert row

    async def work(attempt: Attempt, deadline: Deadline) -> None:
        await retry_on_disconnect(Work(pool, TOO_SLOW))

    async with asyncio.timeout(60):
        with pytest.raises(RetryLater):
            await run_attempt(pool, load({}), run_id, row[0], work)
    ((state, failures, code, message),) = conn.execute(
        "SELECT state, failures, trouble_code, trouble FROM runs"
    ).fetchall()
    assert (state, failures, code) == ("delayed", 1, "database")
    assert "statement_timeout (SQLSTATE 57014). What was saved stays." in message


@pytest.mark.parametrize("code", ["40P01", "53100", "54000", "57014", "XX000"])
async def test_a_background_loop_survives_every_error(pool: AsyncPool, code: str) -> None:
    back = asyncio.Event()
    work = Work(pool, RAISE.format(code), failures=50)

    async def once() -> None:
        await work()
        back.set()

    looping = asyncio.create_task(run_periodically("do it", 0.0, once))
    await asyncio.wait_for(back.wait(), 60)
    looping.cancel()
    await asyncio.wait({looping})


BREAK = """
CREATE FUNCTION broken() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'injected' USING ERRCODE = '{}'; END $$;
CREATE TRIGGER broken BEFORE UPDATE ON procrastinate_jobs EXECUTE FUNCTION broken()
"""


@pytest.mark.parametrize("code", ["40P01", "53100", "54000", "57014", "XX000"])
async def test_a_worker_that_cannot_take_a_job_looks_again(conn: Connection, dsn: str, code: str) -> None:
    enqueue_run_of(conn, institution(conn))
    execute_as_owner(conn, BREAK.format(code))
    worker_id = register_worker(conn)
    connector = procrastinate.PsycopgConnector(conninfo=dsn, min_size=1, max_size=2)
    await connector.open_async()
    try:
        manager = FencedJobManager(connector)
        assert await manager.fetch_job(queues=None, worker_id=worker_id) is None
        execute_as_owner(conn, "DROP TRIGGER broken ON procrastinate_jobs")
        assert await manager.fetch_job(queues=None, worker_id=worker_id)
    finally:
        await connector.close_async()


async def test_a_cancellation_that_ends_a_statement_is_heeded(pool: AsyncPool) -> None:
    """The server answers it with the SQLSTATE of statement_timeout."""
    sleeping = asyncio.Event()

    async def work() -> None:
        async with pool.connection() as conn:
            try:
                sleeping.set()
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                await conn.execute(RAISE.format("57014").encode())

    working = asyncio.create_task(retry_on_disconnect(work))
    await sleeping.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.wait_for(working, 20)


async def test_an_outage_of_hours_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pause grows with each try, and has to end somewhere."""
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    async def work() -> int:
        if len(pauses) < 1_100:
            raise psycopg.OperationalError("the connection is lost")
        return 7

    monkeypatch.setattr(asyncio, "sleep", sleep)
    assert await retry_on_disconnect(work) == 7
    assert max(pauses) <= resilience.MAX_BACKOFF
