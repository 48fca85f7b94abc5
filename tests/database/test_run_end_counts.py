"""Ends of runs are counted in the transaction of the end, and merging loses none."""

import asyncio
from typing import Any

import pytest

from hrims.config import load
from hrims.db import AsyncPool, Connection
from hrims.jobs import control
from hrims.monitoring import store, task
from tests.database.runs import enqueue_run_of
from tests.support.users import ASHA
from tests.web.runs import end_run

SETTINGS = load({})
COUNTS = "SELECT kind, outcome, cause, sum(runs)::int FROM run_end_counts GROUP BY 1, 2, 3 ORDER BY 1, 2, 3"


def counts(conn: Connection) -> list[Any]:
    """Return the ends of runs by kind, outcome and cause."""
    return conn.execute(COUNTS).fetchall()


def test_each_end_counts_once(conn: Connection, health: int) -> None:
    end_run(conn, enqueue_run_of(conn, health))
    run_id = enqueue_run_of(conn, health)
    conn.execute("UPDATE runs SET trouble_code = 'remote_timeout' WHERE id = %s", (run_id,))
    end_run(conn, run_id, "failed")
    conn.execute("UPDATE runs SET trouble = 'Known.' WHERE id = %s", (run_id,))
    assert counts(conn) == [("sync", "complete", "", 1), ("sync", "failed", "remote_timeout", 1)]
    control.retry(conn, ASHA, run_id)
    control.cancel(conn, ASHA, run_id)
    assert counts(conn)[0] == ("sync", "cancelled", "", 1)


def test_an_end_that_is_rolled_back_does_not_count(conn: Connection, health: int) -> None:
    run_id = enqueue_run_of(conn, health)
    with conn.transaction(force_rollback=True):
        end_run(conn, run_id)
        assert counts(conn) == [("sync", "complete", "", 1)]
    assert counts(conn) == []


async def test_merging_keeps_every_end(
    conn: Connection, pool: AsyncPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    conn.execute(
        "INSERT INTO run_end_counts (kind, outcome, cause, runs)"
        " SELECT 'sync', (ARRAY['complete', 'failed'])[1 + n % 2], '', 1 + n % 3"
        " FROM generate_series(1, 1200) n"
    )
    before = counts(conn)
    await asyncio.gather(*(task.merge_run_ends(pool, SETTINGS) for _ in range(4)))
    assert counts(conn) == before
    assert conn.execute("SELECT count(*) FROM run_end_counts").fetchone() == (2,)


async def test_few_rows_are_not_merged(conn: Connection, pool: AsyncPool) -> None:
    conn.execute(
        "INSERT INTO run_end_counts (kind, outcome, cause, runs)"
        " SELECT 'sync', 'x', '', 1 FROM generate_series(1, 999)"
    )
    async with pool.connection() as session:
        assert await store.merge_run_ends(session) == 0
    assert conn.execute("SELECT count(*) FROM run_end_counts").fetchone() == (999,)
