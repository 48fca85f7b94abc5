"""A connection, and a pool as the worker has one, on this test's own database."""

from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from psycopg_pool import AsyncConnectionPool

from hrims.db import AsyncPool, Connection


@pytest.fixture
def conn(dsn: str) -> Iterator[Connection]:
    """An autocommit connection."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        yield connection


@pytest.fixture
async def pool(dsn: str) -> AsyncIterator[AsyncPool]:
    """A pool of connections for async functions."""
    async with AsyncConnectionPool(dsn, min_size=2, max_size=6, open=False) as opened:
        yield opened


@pytest.fixture
def empty(server_dsn: str, dsn: str) -> Iterator[str]:
    """DSN of a database without any table."""
    name = f"{psycopg.conninfo.conninfo_to_dict(dsn)['dbname']}_empty"
    with psycopg.connect(server_dsn, autocommit=True) as conn:
        conn.execute(f'CREATE DATABASE "{name}" TEMPLATE template0'.encode())
        yield make_conninfo(server_dsn, dbname=name)
        conn.execute(f'DROP DATABASE "{name}" WITH (FORCE)'.encode())
