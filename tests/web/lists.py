"""Lists and leavers for web tests, made by the runs that the product itself uses."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from psycopg_pool import AsyncConnectionPool

from hrims.db import Connection
from tests.database.lists import Lists


def with_lists(conn: Connection, dsn: str, story: Callable[[Lists], Awaitable[object]]) -> None:
    """Execute runs: call ``story`` with the lists."""

    async def execute() -> None:
        async with AsyncConnectionPool(dsn, min_size=1, max_size=3, open=False) as pool:
            await story(Lists(conn, pool))

    asyncio.run(execute())


def leave(conn: Connection, dsn: str, gone: Iterable[int], stay: Iterable[int] = range(100, 130)) -> None:
    """Make people leave by three runs that asha requested. Four or more leavers wait for approval."""
    with_lists(conn, dsn, lambda lists: lists.leave(list(gone), list(stay)))


def leavers(conn: Connection) -> list[int]:
    """Return the numbers of those who left."""
    rows = conn.execute("SELECT zan_id FROM employees WHERE left_at IS NOT NULL ORDER BY 1").fetchall()
    return [int(zan_id[5:]) for (zan_id,) in rows]
