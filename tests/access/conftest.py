"""Connections to this test's own database."""

from collections.abc import Iterator

import psycopg
import pytest

from hrims import connection_pools, db
from tests.support.databases import execute_as_owner


@pytest.fixture(name="dsn")
def dsn_without_users(dsn: str) -> str:
    """Return the DSN of this test's own database, without users."""
    with psycopg.connect(dsn) as conn:
        execute_as_owner(conn, "TRUNCATE users RESTART IDENTITY CASCADE")
    return dsn


@pytest.fixture
def pool(dsn: str) -> Iterator[db.Pool]:
    """Provide a pool with as many connections as a test has threads."""
    opened = connection_pools.open_pool(dsn, max_size=20)
    yield opened
    opened.close()
