"""What follows from a run's end, in the transaction that ends it: the run, its outcome and the readings that
were counted come in.
"""

from hrims.config import Settings
from hrims.db import AsyncConnection
from hrims.drift import settle as drift
from hrims.jobs.attempts.store import Attempt
from hrims.leavers import settle as leavers
from hrims.previews import store as previews
from hrims.rejects import cases

OUTRUN = "incomplete"
"""The outcome of an applied preview whose list was read again since: it proves nobody absent, and closes no
reject.
"""


async def settle(
    conn: AsyncConnection, attempt: Attempt, outcome: str, readings: tuple[int, ...], settings: Settings
) -> None:
    """Draws the conclusions of a run that has just ended with ``outcome``."""
    if attempt.kind == "preview":
        # Nothing follows from a preview but what it would change.
        await previews.conclude(conn, attempt.run_id)
        return
    if attempt.kind == "apply" and attempt.of_run_id is not None:
        await previews.applied(conn, attempt.of_run_id)
        if await previews.is_outrun(conn, attempt):
            outcome = OUTRUN
    await cases.settle(conn, attempt, outcome, readings)
    await drift.settle(conn, attempt)
    # Last, because all ends of runs queue for it.
    await leavers.settle(conn, attempt, outcome, readings, settings)
