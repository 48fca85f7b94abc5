"""SQL of the cleaner. Each function runs inside its caller's transaction."""

from pathlib import Path

from hrims.db import AsyncConnection, statements

SQL = statements(Path(__file__).with_name("cleaner.sql"))


async def try_lock(conn: AsyncConnection, kind: str) -> bool:
    """Acquire the cleaner's lock of this kind of rows until the transaction ends.

    Return False if another worker has it.
    """
    row = await (await conn.execute(SQL["try_lock"], {"kind": kind})).fetchone()
    return bool(row and row[0])


async def set_lock_timeout(conn: AsyncConnection) -> None:
    """Limit the wait for locks in this transaction: no other worker can delete until it ends."""
    await conn.execute(SQL["set_lock_timeout"])


async def delete_jobs(conn: AsyncConnection, batch_size: int, finished_hours: int, failed_days: int) -> int:
    """Delete expired jobs of the queue, at most ``batch_size`` of each kind. Return how many."""
    ended = await conn.execute(SQL["delete_ended_jobs"], {"batch_size": batch_size, "hours": finished_hours})
    failed = await conn.execute(SQL["delete_failed_jobs"], {"batch_size": batch_size, "days": failed_days})
    return ended.rowcount + failed.rowcount


async def delete_searches(conn: AsyncConnection, batch_size: int) -> int:
    """Delete at most ``batch_size`` expired searches for people. Return how many."""
    return (await conn.execute(SQL["delete_searches"], {"batch_size": batch_size})).rowcount


async def erase_reject_people(conn: AsyncConnection, batch_size: int, days: int) -> int:
    """Erase the personal data of cases that were closed ``days`` days ago. Return the number of cases."""
    return (await conn.execute(SQL["erase_reject_people"], {"batch_size": batch_size, "days": days})).rowcount


async def mark_expired_run(conn: AsyncConnection, days: int) -> bool:
    """Mark a run that ended ``days`` days ago for deletion of its details. Return False if there is none."""
    return (await conn.execute(SQL["mark_expired_run"], {"days": days})).rowcount > 0


async def find_marked(conn: AsyncConnection) -> int | None:
    """Return a run that is marked for deletion of its details; None if there is none."""
    row = await (await conn.execute(SQL["find_marked"])).fetchone()
    return row[0] if row else None


async def delete_details(conn: AsyncConnection, run_id: int, batch_size: int) -> int:
    """Delete at most ``batch_size`` pages of a run. Return how many. After the last page, delete the logs of
    its attempts too.
    """
    pages = await conn.execute(SQL["delete_pages"], {"run": run_id, "batch_size": batch_size})
    if pages.rowcount < batch_size:
        await conn.execute(SQL["erase_attempt_logs"], {"run": run_id})
        await conn.execute(SQL["unmark_run"], {"run": run_id})
    return pages.rowcount
