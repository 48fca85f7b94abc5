"""Runs in every state, by the product's own functions."""

import asyncio
from typing import Any

from hrims.db import AsyncPool, Connection
from hrims.jobs import enqueue
from hrims.jobs.attempts import store as jobs
from hrims.jobs.attempts.store import Attempt
from tests.support.databases import BLOCKED
from tests.support.users import ASHA


def institution(
    conn: Connection, name: str = "WIZARA YA AFYA", vote: str = "001", tin: str = "156255890"
) -> int:
    """Insert an institution and return its id."""
    row = conn.execute(
        "INSERT INTO institutions (name, vote_code, tin) VALUES (%s, %s, %s) RETURNING id", (name, vote, tin)
    ).fetchone()
    assert row
    return int(row[0])


def enqueue_run_of(
    conn: Connection, institution_id: int, vote: str = "001", page_size: int = 100, kind: str = "sync"
) -> int:
    """Enqueue a run and return its id."""
    return enqueue.enqueue_run(
        conn,
        ASHA,
        institution_id=institution_id,
        identifier_type="votecode",
        identifier=vote,
        page_size=page_size,
        kind=kind,
    ).run_id


def rows(conn: Connection, sql: str) -> list[Any]:
    """Return the rows of a query."""
    return conn.execute(sql.encode()).fetchall()


HRIMS = "https://hrims.example/api"


def register_worker(conn: Connection, pool: str | None = None, address: str | None = HRIMS) -> int:
    """Register a worker and return its id."""
    row = conn.execute(
        """
        WITH made AS (INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id)
        INSERT INTO workers (worker_id, host, pid, process, version, pool, capacity, silent_seconds, address)
        SELECT id, 'host', 1, md5(id::text), '0', %s, 2, 20, %s FROM made RETURNING worker_id
        """,
        (pool, address),
    ).fetchone()
    assert row
    return int(row[0])


async def begin(conn: Connection, pool: AsyncPool, run_id: int) -> Attempt:
    """Return an attempt at the run, as a worker begins it."""
    row = conn.execute("SELECT queue_job_id FROM runs WHERE id = %s", (run_id,)).fetchone()
    assert row
    async with pool.connection() as other:
        attempt = await jobs.begin(other, run_id, row[0], "host", 1)
    assert attempt
    return attempt


async def wait_until_blocked(conn: Connection, sessions: int = 1) -> None:
    """Wait until ``sessions`` sessions of this test's database wait for a lock."""
    async with asyncio.timeout(10):
        while len(conn.execute(BLOCKED).fetchall()) < sessions:  # noqa: ASYNC110 - no event reports a lock wait
            await asyncio.sleep(0.01)
