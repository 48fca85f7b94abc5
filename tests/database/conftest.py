"""A connection, and a pool as the worker has one, on this test's own database."""

from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg_pool import AsyncConnectionPool

from hrims.db import AsyncPool, Connection
from tests.conftest import administration
from tests.database.lists import Lists
from tests.database.previews import fetch
from tests.database.runs import institution
from tests.support.people import record

END_SESSIONS = """
SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity
WHERE datname = %s AND backend_type = 'client backend'
"""
"""A session reports its deadlocks when it ends."""


@pytest.fixture(name="dsn")
def dsn_without_deadlocks(server_dsn: str, dsn: str) -> Iterator[str]:
    """DSN of this test's own database, in which no transaction may meet a deadlock: retries would hide it."""
    yield dsn
    assert count_deadlocks(server_dsn, dsn) == 0


def count_deadlocks(server_dsn: str, dsn: str) -> int:
    """End all sessions of the database. Return how many deadlocks it has had."""
    database = [conninfo_to_dict(dsn)["dbname"]]
    with administration(server_dsn) as connection:
        connection.execute(END_SESSIONS, database)
        row = connection.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = %s", database)
        return int(row.fetchone()[0])  # type: ignore[index] # the database has one row


@pytest.fixture
def conn(dsn: str) -> Iterator[Connection]:
    """Provide an autocommit connection."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection


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
