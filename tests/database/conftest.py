"""A connection, and a pool as the worker has one, on this test's own database."""

from collections.abc import AsyncIterator, Iterator

import procrastinate
import psycopg
import pytest
from procrastinate.jobs import Job
from psycopg.conninfo import make_conninfo
from psycopg_pool import AsyncConnectionPool

from hrims.db import AsyncPool, Connection
from hrims.jobs.attempts.store import Attempt
from hrims.jobs.job_manager import FencedJobManager
from tests.database.lists import Lists
from tests.database.previews import fetch
from tests.database.runs import begin, enqueue_run_of, institution
from tests.database.workers import take_job
from tests.support.databases import count_deadlocks
from tests.support.people import record


@pytest.fixture(name="dsn")
def dsn_without_deadlocks(server_dsn: str, dsn: str) -> Iterator[str]:
    """DSN of this test's own database, in which no transaction may meet a deadlock: retries would hide it."""
    yield dsn
    assert count_deadlocks(server_dsn, dsn) == 0


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[AsyncPool]:
    """Provide a pool of connections for async functions."""
    async with AsyncConnectionPool(dsn, min_size=1, max_size=6, open=False) as opened:
        yield opened


@pytest.fixture
def empty(server_dsn: str, dsn: str) -> Iterator[str]:
    """Provide DSN of a database without any table."""
    name = f"{psycopg.conninfo.conninfo_to_dict(dsn)['dbname']}_empty"
    with psycopg.connect(server_dsn, autocommit=True) as conn:
        conn.execute(f'CREATE DATABASE "{name}" TEMPLATE template0'.encode())
        yield make_conninfo(server_dsn, dbname=name)
        conn.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())


@pytest.fixture
def health(conn: Connection) -> int:
    """Return the id of the ministry of health."""
    return institution(conn)


@pytest.fixture
def lists(conn: Connection, pool: AsyncPool) -> Lists:
    """Return two institutions without runs."""
    return Lists(conn, pool)


@pytest.fixture
async def preview(conn: Connection, pool: AsyncPool, health: int) -> int:
    """Return a preview of 25 people, five of them employees with another name."""
    await fetch(conn, pool, health, [record(n) for n in range(5)], "sync")
    return await fetch(conn, pool, health, [record(n, lastName="Ali") for n in range(25)])


@pytest.fixture
async def manager(dsn: str) -> AsyncIterator[FencedJobManager]:
    """Provide the job manager of a worker."""
    connector = procrastinate.PsycopgConnector(conninfo=dsn, min_size=1, max_size=2)
    await connector.open_async()
    yield FencedJobManager(connector)
    await connector.close_async()


@pytest.fixture
async def running(conn: Connection, pool: AsyncPool, manager: FencedJobManager) -> tuple[Job, Attempt]:
    """Return a job that a worker executes, and its attempt."""
    run_id = enqueue_run_of(conn, institution(conn))
    job = await take_job(manager, conn)
    return job, await begin(conn, pool, run_id)
