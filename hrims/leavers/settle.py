"""A complete run has ended: whom its list misses, and since how many runs, decides who left."""

import logging

from hrims.config import Settings
from hrims.db import AsyncConnection
from hrims.jobs.attempts.store import Attempt
from hrims.jobs.store import COMPLETE, WHOLE
from hrims.leavers import store
from hrims.leavers.threshold import Limits, why_wait

log = logging.getLogger(__name__)


async def settle(
    conn: AsyncConnection, attempt: Attempt, outcome: str, readings: tuple[int, ...], settings: Settings
) -> None:
    """Counts who is missing, ends the lists of those who were missed often enough, and makes leavers or
    lets them wait for approval, all in the transaction that ends the run.
    """
    if attempt.kind not in WHOLE or outcome not in COMPLETE:
        return
    run = {
        "run": attempt.run_id,
        "institution": attempt.institution_id,
        "type": attempt.identifier_type,
    }
    await store.alone_async(conn)
    if not await store.met_everybody(conn, run):
        log.error("run %s has fewer people on its pages than it counted; nobody left", attempt.run_id)
        return
    absent = await store.miss(conn, run, readings)
    missed = await store.overdue(conn, run, settings.leave_after, absent)
    leaving = [one for one in missed if not one.is_elsewhere]
    # Who may be a reject of this run is not transferred by it.
    elsewhere = [one for one in missed if one.is_elsewhere and one.is_absent]
    await store.supersede(conn, run)
    if not leaving and not elsewhere:
        return
    counts = await store.count(conn, run, leaving, transfers=len(elsewhere))
    why = why_wait(counts, Limits(settings.leavers_most, settings.leavers_share))
    at_once = elsewhere if why else [*leaving, *elsewhere]
    if at_once:
        await store.carry_out_async(conn, await store.add(conn, run, at_once, counts.listed, None))
    if why:
        await store.add(conn, run, leaving, counts.listed, why)
    log.info(
        "run %s: %s people left their list, %s wait", attempt.run_id, len(at_once), len(leaving) if why else 0
    )
