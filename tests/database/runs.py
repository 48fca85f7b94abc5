"""Runs in every state, made by the functions that the product itself uses."""

import asyncio

from hrims.access.audit import Actor
from hrims.db import AsyncPool, Connection
from hrims.jobs import ask
from hrims.jobs.attempts import store as jobs
from hrims.jobs.attempts.store import Attempt

ASHA = Actor("asha", "page", "127.0.0.1")


def institution(
    conn: Connection, name: str = "WIZARA YA AFYA", vote: str = "001", tin: str = "156255890"
) -> int:
    """An institution on the register; returns its id."""
    row = conn.execute(
        "INSERT INTO institutions (name, vote_code, tin) VALUES (%s, %s, %s) RETURNING id", (name, vote, tin)
    ).fetchone()
    assert row
    return int(row[0])


def ask_for(conn: Connection, institution_id: int, vote: str = "001", page_size: int = 100) -> int:
    """A queued run; returns its id."""
    return ask.ask(
        conn,
        ASHA,
        institution_id=institution_id,
        identifier_type="votecode",
        identifier=vote,
        page_size=page_size,
    ).run_id


HRIMS = "https://hrims.example/api"


def live(conn: Connection, pool: str | None = None, address: str | None = HRIMS) -> int:
    """A worker that has just written itself down; returns its number."""
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
    """An attempt at the run, as a worker begins it."""
    row = conn.execute("SELECT queue_job_id FROM runs WHERE id = %s", (run_id,)).fetchone()
    assert row
    async with pool.connection() as other:
        attempt = await jobs.begin(other, run_id, row[0], "host", 1)
    assert attempt
    return attempt


async def until_blocked(conn: Connection) -> None:
    """Waits until somebody waits for a lock in this test's database."""
    waiting = "SELECT FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
    async with asyncio.timeout(10):
        while True:
            if conn.execute(waiting).fetchall():
                return
            await asyncio.sleep(0.01)
