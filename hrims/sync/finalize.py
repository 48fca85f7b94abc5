"""Updates previews, cases, drift and leavers in the transaction that ends a run.

Input: the run, its outcome and the passes that were counted.
"""

from hrims.config import Settings
from hrims.db import AsyncConnection
from hrims.drift import detection as drift
from hrims.jobs.attempts.store import Attempt
from hrims.leavers import detection as leavers
from hrims.previews import store as previews
from hrims.rejects import cases

OUTRUN = "incomplete"
"""The outcome of an applied preview if another run has read its list since. Such a run proves no absence, and
closes no reject.
"""


async def finalize_run(
    conn: AsyncConnection, attempt: Attempt, outcome: str, readings: tuple[int, ...], settings: Settings
) -> None:
    """Update previews, cases, drift and leavers after a run that has just ended with ``outcome``."""
    if attempt.kind == "preview":
        # A preview has no consequence except the record of what it would change.
        await previews.save_result(conn, attempt.run_id)
        return
    if attempt.kind == "apply" and attempt.of_run_id is not None:
        await previews.empty_applied(conn, attempt.of_run_id)
        if await previews.is_superseded(conn, attempt):
            outcome = OUTRUN
    await cases.close_cases(conn, attempt, outcome, readings)
    await drift.detect_drift(conn, attempt)
    # Last, because all runs that end queue for this lock.
    await leavers.detect_leavers(conn, attempt, outcome, readings, settings)
