"""What a page costs: few statements, however many people it holds, and no further trip to Postgres."""

from typing import Any

import psycopg
import pytest

from hrims.connection_pools import check_unless_fresh
from hrims.db import AsyncPool, Connection
from tests.database.runs import begin, enqueue_run_of, institution
from tests.database.test_save_page import save
from tests.support.people import record

STATEMENTS = 4
"""Settings, fence, people, page; nothing a person."""


async def test_a_page_takes_as_many_statements_for_many_people_as_for_one(
    conn: Connection, pool: AsyncPool, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt = await begin(conn, pool, enqueue_run_of(conn, institution(conn)))
    await save(attempt, pool, [record(0)], number=0)
    for number, people in ((1, [record(1)]), (2, [record(n) for n in range(2, 100)])):
        statements: list[bytes | str] = []
        with monkeypatch.context() as patched:
            _listen(patched, statements)
            await save(attempt, pool, people, number=number)
        assert len(statements) == STATEMENTS, statements


def _listen(monkeypatch: pytest.MonkeyPatch, statements: list[bytes | str]) -> None:
    execute = psycopg.AsyncCursor.execute

    def executed(self: Any, query: Any, *given: Any, **more: Any) -> Any:
        statements.append(query)
        return execute(self, query, *given, **more)

    monkeypatch.setattr(psycopg.AsyncCursor, "execute", executed)


async def test_a_connection_that_worked_a_moment_ago_is_not_checked_again(
    dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        await check_unless_fresh(connection)
        statements: list[bytes | str] = []
        _listen(monkeypatch, statements)
        await check_unless_fresh(connection)
        assert statements == []
        monkeypatch.setattr("hrims.connection_pools.FRESH_SECONDS", 0.0)
        await connection.close()
        with pytest.raises(psycopg.OperationalError):
            await check_unless_fresh(connection)
