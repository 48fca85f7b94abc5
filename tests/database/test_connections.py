"""What is found out of a new connection; behind a pooler, tests/distributed."""

import asyncio

from hrims import connection_pools, db


def test_a_direct_connection_may_listen_and_prepare(dsn: str) -> None:
    with db.connect(dsn) as conn:
        assert conn.autocommit
        assert not db.is_pooled(conn)
    with connection_pools.open_pool(dsn, max_size=2) as pool, pool.connection() as conn:
        assert not conn.autocommit
        assert not db.is_pooled(conn)


def test_so_may_a_worker(dsn: str) -> None:
    async def ask() -> tuple[bool, bool, int | None, object]:
        params = {"conninfo": dsn, "kwargs": {"prepare_threshold": 0}, "open": False}
        async with connection_pools.open_worker_pool(**params) as pool, pool.connection() as conn:
            limit = await (await conn.execute("SHOW statement_timeout")).fetchone()
            return conn.autocommit, db.is_pooled(conn), conn.prepare_threshold, limit

    assert asyncio.run(ask()) == (False, False, 0, ("0",)), "a page of a run may take longer than a request"
