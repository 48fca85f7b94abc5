"""What an attempt leaves behind, and which retry policy a run gets."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from hrims.config import load
from hrims.db import AsyncPool, Connection
from hrims.errors import HrimsSyncError, RemoteFailed
from hrims.jobs import control, enqueue
from hrims.jobs.attempts import attempt_log
from hrims.jobs.attempts.attempt import NO_TIME_LEFT, ShutdownRequested, run_attempt
from hrims.jobs.attempts.retry import RetryLater, RunFailed
from hrims.jobs.attempts.retry_policy import DEFAULT_POLICY, Deadline, RetryPolicy
from hrims.jobs.attempts.store import Attempt
from hrims.jobs.rescuer import task as rescuer
from hrims.log import format_traceback
from tests.support.users import ASHA

SETTINGS = load({"HRIMS_BEAT_SECONDS": "0.1", "HRIMS_SILENT_SECONDS": "1"})

log = logging.getLogger("hrims.sync.story")


@pytest.fixture(autouse=True)
def log_level(caplog: pytest.LogCaptureFixture) -> None:
    """Set the log level of a worker."""
    caplog.set_level(logging.INFO)


def ask_for(
    conn: Connection, institution_id: int, retry_policy: RetryPolicy = DEFAULT_POLICY
) -> tuple[int, int]:
    """Return a queued run and its job."""
    run_id = enqueue.enqueue_run(
        conn,
        ASHA,
        institution_id=institution_id,
        identifier_type="votecode",
        identifier="001",
        retry_policy=retry_policy,
    ).run_id
    row = conn.execute("SELECT queue_job_id FROM runs WHERE id = %s", (run_id,)).fetchone()
    assert row
    return run_id, row[0]


def failing(error: Exception, *lines: str) -> Callable[[Attempt, Deadline], Awaitable[None]]:
    """Work that logs and fails."""

    async def work(attempt: Attempt, deadline: Deadline) -> None:
        for line in lines:
            log.warning("%s", line)
        raise error

    return work


def one(conn: Connection, what: str, table: str = "run_attempts") -> Any:
    return conn.execute(f"SELECT {what} FROM {table}".encode()).fetchone()


async def test_an_attempt_keeps_its_lines_and_where_it_stopped(
    conn: Connection, pool: AsyncPool, health: int
) -> None:
    run_id, job_id = ask_for(conn, health)
    with pytest.raises(RetryLater):
        await run_attempt(pool, SETTINGS, run_id, job_id, failing(RuntimeError("Asha 580330000"), "page 7"))
    lines, left_out, traceback = one(conn, "log, log_left_out, traceback")
    assert [line.split(" ", 1)[1] for line in lines][:2] == [
        f"info attempt_started run={run_id} attempt=1",
        "warning page 7",
    ]
    assert left_out == 0
    assert "in work" in traceback
    assert traceback.endswith("builtins.RuntimeError")
    assert "580330000" not in traceback + "".join(lines)


async def test_only_the_last_lines_are_kept(conn: Connection, pool: AsyncPool, health: int) -> None:
    run_id, job_id = ask_for(conn, health)
    lines = [f"line {number}" for number in range(1000)] + ["x" * 9999]
    with pytest.raises(RetryLater):
        await run_attempt(pool, SETTINGS, run_id, job_id, failing(RemoteFailed("HRIMS is busy."), *lines))
    stored, left_out = one(conn, "log, log_left_out")
    assert len(stored) == attempt_log.MAX_LINES
    assert max(map(len, stored)) == attempt_log.MAX_LINE_LENGTH
    # Also its start, its failure and when the next attempt is due.
    assert left_out + len(stored) == 1000 + 1 + 3


async def test_lines_are_kept_while_it_runs(conn: Connection, pool: AsyncPool, health: int) -> None:
    """A worker that is killed leaves what it had written."""
    run_id, job_id = ask_for(conn, health)

    async def work(attempt: Attempt, deadline: Deadline) -> None:
        log.info("still here")
        async with asyncio.timeout(10):
            while "still here" not in str(one(conn, "log")):  # noqa: ASYNC110 - the database sends no signal
                await asyncio.sleep(0.02)
        raise ShutdownRequested

    with pytest.raises(RetryLater):
        await run_attempt(pool, SETTINGS, run_id, job_id, work)
    assert one(conn, "ended_as, traceback") == ("handed_back", None)


async def test_a_run_has_the_attempts_that_were_said(conn: Connection, pool: AsyncPool, health: int) -> None:
    run_id, job_id = ask_for(conn, health, RetryPolicy(attempts=2, attempt_pause=0.0))
    with pytest.raises(RetryLater):
        await run_attempt(pool, SETTINGS, run_id, job_id, failing(RemoteFailed("HRIMS is busy.")))
    assert one(conn, "next_try_at <= now(), failures", "runs") == (True, 1)
    with pytest.raises(RunFailed):
        await run_attempt(pool, SETTINGS, run_id, job_id, failing(RemoteFailed("HRIMS is busy.")))
    assert one(conn, "state, failures, trouble", "runs") == ("failed", 2, "HRIMS is busy.")


async def test_what_the_institution_says_holds_unless_the_run_says_more(
    conn: Connection, pool: AsyncPool, health: int
) -> None:
    conn.execute("UPDATE institutions SET attempts = 7, attempt_pause = 1.5, deadline_minutes = 90")
    ask_for(conn, health, RetryPolicy(attempts=2))
    columns = "attempts, attempt_pause, deadline_minutes, deadline_at - requested_at = interval '90 minutes'"
    assert one(conn, columns, "runs") == (2, 1.5, 90, True)


async def test_no_attempt_follows_that_would_begin_after_the_deadline(
    conn: Connection, pool: AsyncPool, health: int
) -> None:
    run_id, job_id = ask_for(conn, health, RetryPolicy(attempt_pause=120.0, deadline_minutes=1))
    with pytest.raises(RunFailed):
        await run_attempt(pool, SETTINGS, run_id, job_id, failing(RemoteFailed("HRIMS is busy.")))
    assert one(conn, "state, trouble", "runs") == ("failed", f"HRIMS is busy. {NO_TIME_LEFT}")


async def test_an_attempt_ends_at_the_deadline(conn: Connection, pool: AsyncPool, health: int) -> None:
    run_id, job_id = ask_for(conn, health, RetryPolicy(deadline_minutes=1))
    conn.execute("UPDATE runs SET deadline_at = now() + interval '0.2 seconds'")

    async def work(attempt: Attempt, deadline: Deadline) -> None:
        while True:
            deadline.check()
            await asyncio.sleep(0.01)

    with pytest.raises(RunFailed):
        await run_attempt(pool, SETTINGS, run_id, job_id, work)
    assert one(conn, "state, trouble_code", "runs") == ("failed", "deadline")


async def test_a_run_that_waits_past_its_deadline_fails(
    conn: Connection, pool: AsyncPool, health: int
) -> None:
    ask_for(conn, health, RetryPolicy(deadline_minutes=1))
    assert await rescuer.fail_overdue(pool) == 0
    conn.execute("UPDATE runs SET deadline_at = now()")
    assert await rescuer.fail_overdue(pool) == 1
    assert one(conn, "state, trouble_code, trouble", "runs") == (
        "failed",
        "deadline",
        "It was not done in the 1 minute that it had.",
    )
    assert one(conn, "status::text", "procrastinate_jobs") == ("cancelled",)


async def test_a_run_that_is_tried_again_has_its_whole_time(
    conn: Connection, pool: AsyncPool, health: int
) -> None:

    run_id, _ = ask_for(conn, health, RetryPolicy(deadline_minutes=10))
    control.cancel(conn, ASHA, run_id)
    conn.execute("UPDATE runs SET deadline_at = now() - interval '1 day'")
    control.retry(conn, ASHA, run_id)
    assert one(conn, "deadline_at > now() + interval '9 minutes'", "runs") == (True,)


def test_an_internal_error_is_recorded_with_its_causes() -> None:
    try:
        try:
            raise ValueError("580330000")  # noqa: TRY301 - it is what is told
        except ValueError as reason:
            raise RemoteFailed("HRIMS is busy.") from reason
    except HrimsSyncError as error:
        text = format_traceback(error)
    assert text.index("builtins.ValueError") < text.index("hrims.errors.RemoteFailed: HRIMS is busy.")
    assert "580330000" not in text.replace('raise ValueError("580330000")', "")
