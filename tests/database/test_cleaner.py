"""What is old goes, a little at a time; summaries, people and their history stay."""

import asyncio
from typing import Any

import pytest

from hrims.access.scope import EVERYTHING
from hrims.config import load
from hrims.db import AsyncPool, Connection
from hrims.errors import Conflict, Unprocessable
from hrims.jobs import control
from hrims.jobs.cleaner import store
from hrims.jobs.cleaner import task as cleaner
from hrims.runs.compare.pair import find_pair
from hrims.worker import DELETIONS
from tests.database.previews import fetch
from tests.database.runs import enqueue_run_of
from tests.support.people import record
from tests.support.users import ASHA
from tests.web.runs import end_run

SETTINGS = load({})


def one(conn: Connection, sql: str) -> Any:
    row = conn.execute(sql.encode()).fetchone()
    assert row
    return row[0] if len(row) == 1 else row


def count(conn: Connection, table: str) -> int:
    return int(one(conn, f"SELECT count(*) FROM {table}"))


def job(conn: Connection, status: str, ago: str) -> None:
    """Insert a job that ended this long ago and return its id."""
    [(id_,)] = conn.execute(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, status)"
        " VALUES ('sync', 'sync.run', %s) RETURNING id",
        (status,),
    ).fetchall()
    conn.execute("DELETE FROM procrastinate_events WHERE job_id = %s", (id_,))
    conn.execute(
        "INSERT INTO procrastinate_events (job_id, type, at)"
        " VALUES (%s, 'deferred', now() - interval '99 days'), (%s, 'succeeded', now() - %s::interval)",
        (id_, id_, ago),
    )


async def test_jobs_go_by_their_age(conn: Connection, pool: AsyncPool) -> None:
    for status, ago in (
        ("succeeded", "25 hours"), ("succeeded", "23 hours"), ("cancelled", "25 hours"),
        ("aborted", "25 hours"), ("failed", "25 hours"), ("failed", "8 days"),
        ("todo", "99 days"), ("doing", "99 days"),
    ):  # fmt: skip
        job(conn, status, ago)
    await cleaner.delete_expired(DELETIONS, pool, SETTINGS)
    left = conn.execute("SELECT status::text, id FROM procrastinate_jobs ORDER BY id").fetchall()
    assert left == [("succeeded", 2), ("failed", 5), ("todo", 7), ("doing", 8)]
    assert count(conn, "procrastinate_events") >= 4


async def test_searches_for_people_go_when_they_expire(conn: Connection, pool: AsyncPool) -> None:
    conn.execute(
        "INSERT INTO people_searches"
        " SELECT sha256(n::text::bytea), (SELECT min(id) FROM users), 'asha', now() + n * interval '1 hour'"
        " FROM generate_series(-1500, 30) n"
    )
    await cleaner.delete_expired(DELETIONS, pool, SETTINGS)
    assert count(conn, "people_searches") == 30


async def test_what_an_old_run_did_goes_and_its_summary_stays(
    conn: Connection, pool: AsyncPool, health: int
) -> None:
    old = await fetch(conn, pool, health, [*map(record, range(25)), record(1, zanIdNumber="?")], "sync")
    new = await fetch(conn, pool, health, list(map(record, range(25))), "sync")
    conn.execute("UPDATE run_attempts SET log = '{line}', traceback = 'where'")
    conn.execute("UPDATE runs SET finished_at = now() - interval '91 days' WHERE id = %s", (old,))
    before = one(conn, f"SELECT to_jsonb(v) FROM runs_v v WHERE job_id = {old}")
    history = count(conn, "employee_events"), count(conn, "employee_changes"), count(conn, "employees")
    await cleaner.delete_expired(DELETIONS, pool, SETTINGS)
    assert one(conn, f"SELECT to_jsonb(v) FROM runs_v v WHERE job_id = {old}") == before
    assert count(conn, f"run_pages WHERE run_id = {old}") == count(conn, f"rejects WHERE run_id = {old}") == 0
    assert count(conn, f"run_pages WHERE run_id = {new}") > 0
    assert one(conn, f"SELECT log, traceback FROM run_attempts WHERE run_id = {old}") == ([], None)
    assert one(conn, f"SELECT log, traceback FROM run_attempts WHERE run_id = {new}") == (["line"], "where")
    assert history == (
        count(conn, "employee_events"), count(conn, "employee_changes"), count(conn, "employees"),
    )  # fmt: skip
    assert count(conn, "reject_cases") == 1
    with pytest.raises(Unprocessable, match="its pages were deleted"):
        find_pair(conn, EVERYTHING, old, new)


async def test_a_run_that_is_pruned_is_not_tried_again(
    conn: Connection, pool: AsyncPool, health: int
) -> None:
    run_id = end_run(conn, enqueue_run_of(conn, health), "failed", None)
    conn.execute("UPDATE runs SET finished_at = now() - interval '91 days'")
    await cleaner.delete_expired(DELETIONS, pool, SETTINGS)
    with pytest.raises(Conflict, match="whose pages are still stored"):
        control.retry(conn, ASHA, run_id)
    assert control.repeat_run(conn, ASHA, run_id).run_id > run_id


async def test_a_large_run_goes_in_small_batches(
    conn: Connection, pool: AsyncPool, health: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = await fetch(conn, pool, health, list(map(record, range(60))), "sync")
    pages = count(conn, "run_pages")
    conn.execute("UPDATE runs SET finished_at = now() - interval '91 days'")
    monkeypatch.setattr(cleaner, "PAGE_BATCH", 2)
    taken = []
    while await cleaner._delete_batch(
        pool, "run_details", lambda conn: cleaner._delete_run_details(conn, 90)
    ):
        taken.append(count(conn, "run_pages"))
        # After the first batch no reader relies on the details that are left.
        assert one(conn, f"SELECT pruned_at IS NOT NULL FROM runs WHERE id = {run_id}") is True
    assert taken == [pages, *range(pages - 2, -1, -2), *([0] if pages % 2 == 0 else [])]
    assert one(conn, f"SELECT pruned_at IS NOT NULL FROM runs WHERE id = {run_id}") is True


async def test_a_worker_at_another_kind_delays_nothing(
    conn: Connection, pool: AsyncPool, health: int
) -> None:
    await fetch(conn, pool, health, [record(1)], "sync")
    conn.execute("UPDATE runs SET finished_at = now() - interval '91 days'")
    async with pool.connection() as other:
        for kind in ("workers", "jobs", "previews", "messages"):
            assert await store.try_lock(other, kind)
        await cleaner.delete_expired(DELETIONS, pool, SETTINGS)
    assert count(conn, "run_pages") == 0


async def test_one_worker_at_a_time(conn: Connection, pool: AsyncPool, health: int) -> None:
    await fetch(conn, pool, health, [record(1)], "sync")
    conn.execute("UPDATE runs SET finished_at = now() - interval '91 days'")
    async with pool.connection() as other:
        assert await store.try_lock(other, "run_details")
        await cleaner.delete_expired(DELETIONS, pool, SETTINGS)
        assert count(conn, "run_pages") == 1
    await asyncio.gather(*(cleaner.delete_expired(DELETIONS, pool, SETTINGS) for _ in range(3)))
    assert count(conn, "run_pages") == 0


@pytest.mark.parametrize(
    "name", ["delete_ended_jobs", "delete_failed_jobs", "mark_expired_run", "find_marked"]
)
def test_old_rows_are_found_by_an_index(conn: Connection, name: str) -> None:
    conn.execute("SET enable_seqscan = off")
    params = {"batch_size": 500, "hours": 24, "days": 7}
    plan = "\n".join(line for (line,) in conn.execute(b"EXPLAIN " + store.SQL[name], params).fetchall())
    index = {
        "delete_ended_jobs": "jobs_ended",
        "delete_failed_jobs": "jobs_failed",
        "mark_expired_run": "runs_to_prune",
        "find_marked": "runs_pruning",
    }[name]
    assert index in plan
    assert "Seq Scan" not in plan, plan


async def test_a_preview_that_may_still_be_applied_is_not_touched(
    conn: Connection, pool: AsyncPool, health: int
) -> None:
    preview = await fetch(conn, pool, health, list(map(record, range(25))))
    conn.execute("UPDATE runs SET finished_at = now() - interval '91 days'")
    await cleaner.delete_expired(DELETIONS, pool, SETTINGS)
    assert count(conn, f"run_pages WHERE run_id = {preview}") > 0
    conn.execute("UPDATE runs SET emptied_at = now(), emptied_why = 'too_old' WHERE id = %s", (preview,))
    await cleaner.delete_expired(DELETIONS, pool, SETTINGS)
    assert count(conn, "run_pages") == 0
