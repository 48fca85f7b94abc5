"""Workers as they write themselves down."""

from hrims.config import Settings
from hrims.db import AsyncPool, Connection
from hrims.jobs.workers import store
from hrims.jobs.workers.beat import describe
from tests.database.runs import live


async def test_a_process_that_begins_again_is_one_worker(conn: Connection, pool: AsyncPool) -> None:
    """After its database was away it has another number, and nobody could say that the first one ended."""
    before, now, other = live(conn), live(conn), live(conn)
    conn.execute("UPDATE workers SET pid = 2 WHERE worker_id = %s", (other,))
    async with pool.connection() as beating:
        await store.succeed(beating, describe(now, Settings()) | {"host": "host", "pid": 1})
    ended = conn.execute("SELECT worker_id FROM workers WHERE ended_at IS NOT NULL").fetchall()
    assert ended == [(before,)]
