"""Runs and jobs that have lost one another, in SQL. Each function works inside its caller's transaction."""

from pathlib import Path

from hrims.db import AsyncConnection, statements
from hrims.jobs.attempts.store import close_attempts
from hrims.jobs.store import UNDER_WAY

RESCUE = statements(Path(__file__).with_name("rescue.sql"))


async def stalled(conn: AsyncConnection) -> list[int]:
    """Return queue jobs whose worker does not live."""
    rows = await conn.execute(RESCUE["find_stalled"])
    return [id_ async for (id_,) in rows]


async def now(conn: AsyncConnection) -> float:
    """Return the time by which this transaction judges who lives, in seconds."""
    row = await (await conn.execute(RESCUE["now"])).fetchone()
    assert row
    return float(row[0])


async def end_silent_sessions(conn: AsyncConnection, silent_seconds: float) -> None:
    """Ends what workers hold that froze in the middle of a transaction."""
    await conn.execute(RESCUE["end_silent_sessions"], {"silent": silent_seconds})


async def rescue(conn: AsyncConnection, queue_job_id: int, most: int, words: str) -> str | None:
    """Takes one stalled job from its dead worker: ``waiting`` again, ``failed`` after too many
    rescues, ``ended`` when its run was over, ``queued again`` when it served none; None when it is stalled
    no more.
    """
    job = {"job": queue_job_id}
    await conn.execute(RESCUE["be_impatient"])
    await conn.execute(RESCUE["end_sessions"], job)
    run = await (await conn.execute(RESCUE["hold_run"], job)).fetchone()
    held = await (await conn.execute(RESCUE["hold_job"], job)).fetchone()
    if held is None:
        return None
    if not held[0]:
        # What serves no run ends by its own rules, and may be done twice.
        await conn.execute(RESCUE["put_back"], job)
        return "queued again"
    id_, state, rescues = run or (0, "gone", 0)
    if state not in UNDER_WAY:
        await conn.execute(RESCUE["end_job"], job)
        return "ended"
    await close_attempts(conn, id_, "worker_died")
    given_up = rescues >= most
    await conn.execute(RESCUE["give_up" if given_up else "wait_again"], {"run": id_, "words": words})
    await conn.execute(RESCUE["end_job" if given_up else "put_back"], job)
    return "failed" if given_up else "waiting"


async def orphans(conn: AsyncConnection) -> list[int]:
    """Runs under way whose queue job has ended."""
    rows = await conn.execute(RESCUE["find_orphans"])
    return [id_ async for (id_,) in rows]


async def take_orphan(conn: AsyncConnection, run_id: int, most: int, words: str) -> str | None:
    """Holds a run that has lost its job: ``waiting`` for a new one, or ``failed`` after too many rescues;
    None when it is no orphan any more.
    """
    await conn.execute(RESCUE["be_impatient"])
    await conn.execute(RESCUE["hold_orphan"], {"run": run_id})
    orphan = await (await conn.execute(RESCUE["look_again"], {"run": run_id})).fetchone()
    if orphan is None:
        return None
    await close_attempts(conn, run_id, "worker_died")
    given_up = orphan[0] >= most
    await conn.execute(RESCUE["give_up" if given_up else "wait_again"], {"run": run_id, "words": words})
    return "failed" if given_up else "waiting"


async def overdue(conn: AsyncConnection) -> list[int]:
    """Runs that wait and whose deadline is past."""
    rows = await conn.execute(RESCUE["find_overdue"])
    return [id_ async for (id_,) in rows]


async def give_up_overdue(conn: AsyncConnection, run_id: int) -> bool:
    """Fails a run whose deadline is past, and ends its job; False when it waits no more."""
    await conn.execute(RESCUE["be_impatient"])
    row = await (await conn.execute(RESCUE["fail_overdue"], {"run": run_id})).fetchone()
    if row:
        await conn.execute(RESCUE["cancel_job"], {"job": row[0]})
    return row is not None
