"""What is old, in SQL. Each function works inside its caller's transaction."""

from pathlib import Path

from hrims.db import AsyncConnection, statements

SQL = statements(Path(__file__).with_name("retention.sql"))


async def alone(conn: AsyncConnection) -> bool:
    """Whether nobody else deletes until this transaction ends."""
    row = await (await conn.execute(SQL["alone"])).fetchone()
    return bool(row and row[0])


async def be_impatient(conn: AsyncConnection) -> None:
    """Let this transaction fail rather than wait long for a lock: others wait until it ends to delete."""
    await conn.execute(SQL["be_impatient"])


async def delete_jobs(conn: AsyncConnection, most: int, finished_hours: int, failed_days: int) -> int:
    """Deletes jobs of the queue that ended so long ago; returns how many."""
    over = await conn.execute(SQL["jobs_over"], {"most": most, "hours": finished_hours})
    failed = await conn.execute(SQL["jobs_failed"], {"most": most, "days": failed_days})
    return over.rowcount + failed.rowcount


async def delete_searches(conn: AsyncConnection, most: int) -> int:
    """Delete at most so many searches for people that have expired; return how many."""
    return (await conn.execute(SQL["searches"], {"most": most})).rowcount


async def forget_persons(conn: AsyncConnection, most: int, days: int) -> int:
    """Delete whose record it was of rejects that were closed so many days ago; return of how many."""
    return (await conn.execute(SQL["persons"], {"most": most, "days": days})).rowcount


async def mark_run(conn: AsyncConnection, days: int) -> bool:
    """Says of a run that ended so many days ago that its details go; False when there is none."""
    return (await conn.execute(SQL["mark"], {"days": days})).rowcount > 0


async def find_marked(conn: AsyncConnection) -> int | None:
    """A run whose details are going."""
    row = await (await conn.execute(SQL["find_marked"])).fetchone()
    return row[0] if row else None


async def delete_details(conn: AsyncConnection, run_id: int, most: int) -> int:
    """Deletes so many pages of a run at most, and what its attempts logged after the last; returns
    how many.
    """
    pages = await conn.execute(SQL["pages"], {"run": run_id, "most": most})
    if pages.rowcount < most:
        await conn.execute(SQL["attempts"], {"run": run_id})
        await conn.execute(SQL["pruned"], {"run": run_id})
    return pages.rowcount
