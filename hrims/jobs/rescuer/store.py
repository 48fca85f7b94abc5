"""SQL of the rescuer. Each function runs inside its caller's transaction."""

from collections.abc import Mapping
from pathlib import Path

from hrims.db import AsyncConnection, statements
from hrims.jobs.attempts.store import close_attempts
from hrims.jobs.store import UNFINISHED

RESCUE = statements(Path(__file__).with_name("rescue.sql"))


async def find_stalled(conn: AsyncConnection) -> list[int]:
    """Return the queue jobs whose worker is dead."""
    rows = await conn.execute(RESCUE["find_stalled"])
    return [id_ async for (id_,) in rows]


async def now(conn: AsyncConnection) -> float:
    """Return the time at which this transaction decides which workers are dead, in seconds."""
    row = await (await conn.execute(RESCUE["now"])).fetchone()
    assert row
    return float(row[0])


async def end_silent_sessions(conn: AsyncConnection, silent_seconds: float) -> None:
    """Terminate the sessions of workers that froze inside a transaction."""
    await _execute_as_login(conn, "end_silent_sessions", {"silent": silent_seconds})


async def _execute_as_login(conn: AsyncConnection, name: str, params: Mapping[str, object]) -> None:
    """Execute a statement with the rights of the user who signed in."""
    role = await (await conn.execute(RESCUE["role"])).fetchone()
    assert role
    await conn.execute(RESCUE["be_login"])
    await conn.execute(RESCUE[name], params)
    await conn.execute(RESCUE["be_role"], {"role": role[0]})


async def rescue(conn: AsyncConnection, queue_job_id: int, max_rescues: int, message: str) -> str | None:
    """Rescue one stalled job. Return what happened to it; None if it is not stalled any more.

    ``waiting``: the job of its run was requeued. ``failed``: the run had too many rescues. ``ended``: the run
    had ended.
    ``requeued``: the job belongs to no run.
    """
    params = {"job": queue_job_id}
    await conn.execute(RESCUE["set_lock_timeout"])
    await _execute_as_login(conn, "end_sessions", params)
    run = await (await conn.execute(RESCUE["lock_run"], params)).fetchone()
    locked_job = await (await conn.execute(RESCUE["lock_job"], params)).fetchone()
    if locked_job is None:
        return None
    if not locked_job[0]:
        # A job without a run has its own retry rules and is idempotent.
        await conn.execute(RESCUE["requeue_job"], params)
        return "requeued"
    id_, state, rescues = run or (0, "gone", 0)
    if state not in UNFINISHED:
        await conn.execute(RESCUE["end_job"], params)
        return "ended"
    await close_attempts(conn, id_, "worker_died")
    has_failed = rescues >= max_rescues
    await conn.execute(RESCUE["fail_run" if has_failed else "requeue_run"], {"run": id_, "message": message})
    await conn.execute(RESCUE["end_job" if has_failed else "requeue_job"], params)
    return "failed" if has_failed else "waiting"


async def find_orphans(conn: AsyncConnection) -> list[int]:
    """Return the unfinished runs whose queue job has ended."""
    rows = await conn.execute(RESCUE["find_orphans"])
    return [id_ async for (id_,) in rows]


async def reset_orphan(conn: AsyncConnection, run_id: int, max_rescues: int, message: str) -> str | None:
    """Lock and reset a run that has lost its job. Return its new state; None if it is not an orphan any more.

    The state is ``waiting`` for a new job, or ``failed`` after too many rescues.
    """
    await conn.execute(RESCUE["set_lock_timeout"])
    await conn.execute(RESCUE["lock_orphan"], {"run": run_id})
    orphan = await (await conn.execute(RESCUE["find_orphan"], {"run": run_id})).fetchone()
    if orphan is None:
        return None
    await close_attempts(conn, run_id, "worker_died")
    has_failed = orphan[0] >= max_rescues
    await conn.execute(
        RESCUE["fail_run" if has_failed else "requeue_run"], {"run": run_id, "message": message}
    )
    return "failed" if has_failed else "waiting"


async def find_overdue(conn: AsyncConnection) -> list[int]:
    """Return the waiting and delayed runs whose deadline has passed."""
    rows = await conn.execute(RESCUE["find_overdue"])
    return [id_ async for (id_,) in rows]


async def fail_overdue(conn: AsyncConnection, run_id: int) -> bool:
    """Fail a run whose deadline has passed, and cancel its job. Return False if it is not waiting
    any more.
    """
    await conn.execute(RESCUE["set_lock_timeout"])
    row = await (await conn.execute(RESCUE["fail_overdue"], {"run": run_id})).fetchone()
    if row:
        await conn.execute(RESCUE["cancel_job"], {"job": row[0]})
    return row is not None
