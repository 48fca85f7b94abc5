"""What is old, in SQL. Each function works inside its caller's transaction."""

from pathlib import Path

from hrims.db import AsyncConnection, statements

SQL = statements(Path(__file__).with_name("retention.sql"))


async def alone(conn: AsyncConnection) -> bool:
    """Whether nobody else deletes until this transaction ends."""
    row = await (await conn.execute(SQL["alone"])).fetchone()
    return bool(row and row[0])


async def delete_jobs(conn: AsyncConnection, most: int, finished_hours: int, failed_days: int) -> int:
    """Deletes jobs of the queue that ended so long ago; returns how many."""
    over = await conn.execute(SQL["jobs_over"], {"most": most, "hours": finished_hours})
    failed = await conn.execute(SQL["jobs_failed"], {"most": most, "days": failed_days})
    return over.rowcount + failed.rowcount


async def find_run(conn: AsyncConnection, days: int) -> int | None:
    """A run that ended so many days ago and has its details still, held until this transaction ends."""
    row = await (await conn.execute(SQL["find_run"], {"days": days})).fetchone()
    return row[0] if row else None


async def delete_details(conn: AsyncConnection, run_id: int, most: int) -> int:
    """Deletes so many pages of a run at most, and says that it is pruned once none is left; returns
    how many.
    """
    pages = await conn.execute(SQL["pages"], {"run": run_id, "most": most})
    if pages.rowcount < most:
        await conn.execute(SQL["attempts"], {"run": run_id})
        await conn.execute(SQL["pruned"], {"run": run_id})
    return pages.rowcount
