"""Lists and leavers for web tests, made by the runs that the product itself uses."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from psycopg_pool import AsyncConnectionPool

from hrims.db import Connection
from tests.database.lists import Lists


def with_lists(conn: Connection, dsn: str, story: Callable[[Lists], Awaitable[object]]) -> None:
    """Lets runs happen."""

    async def tell() -> None:
        async with AsyncConnectionPool(dsn, min_size=1, max_size=3, open=False) as pool:
            await story(Lists(conn, pool))

    asyncio.run(tell())


def leave(conn: Connection, dsn: str, gone: Iterable[int], stay: Iterable[int] = range(100, 130)) -> None:
    """Three runs, asked for by asha, after which these people are gone; four or more wait for approval."""
    with_lists(conn, dsn, lambda lists: lists.leave(list(gone), list(stay)))


def leavers(conn: Connection) -> list[int]:
    """Return the numbers of those who left."""
    rows = conn.execute("SELECT zan_id FROM employees WHERE left_at IS NOT NULL ORDER BY 1").fetchall()
    return [int(zan_id[5:]) for (zan_id,) in rows]
