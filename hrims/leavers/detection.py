"""Detects leavers when a complete run has ended: the employees that its list has missed in enough runs."""

from hrims.config import Settings
from hrims.db import AsyncConnection
from hrims.jobs.attempts.store import Attempt
from hrims.jobs.store import COMPLETE, FULL_LIST_KINDS
from hrims.leavers import store
from hrims.leavers.threshold import Limits, approval_reason
from hrims.log import get_logger

FEWER_PEOPLE = "The pages of the run hold fewer people than the run counted. No employee became a leaver."

log = get_logger(__name__)


async def detect_leavers(
    conn: AsyncConnection, attempt: Attempt, outcome: str, readings: tuple[int, ...], settings: Settings
) -> None:
    """Count misses, end the listings of employees that were missed often enough, and make them leavers.

    If the threshold requires approval, the leavers wait for it instead. Everything is in the transaction that
    ends the run.
    """
    if attempt.kind not in FULL_LIST_KINDS or outcome not in COMPLETE:
        return
    run = {
        "run": attempt.run_id,
        "institution": attempt.institution_id,
        "type": attempt.identifier_type,
    }
    await store.lock_departures(conn)
    if not await store.has_all_people(conn, run):
        log.error("leavers_not_detected", message=FEWER_PEOPLE)
        return
    absent = await store.count_misses(conn, run, readings)
    missed = await store.find_overdue(conn, run, settings.leave_after, absent)
    leaving = [employee for employee in missed if not employee.is_elsewhere]
    # An employee that may be a reject of this run is not transferred by it.
    elsewhere = [employee for employee in missed if employee.is_elsewhere and employee.is_absent]
    await store.supersede(conn, run)
    if not leaving and not elsewhere:
        return
    counts = await store.count_listed(conn, run, leaving, transfers=len(elsewhere))
    reason = approval_reason(counts, Limits(settings.leavers_most, settings.leavers_share))
    applied = elsewhere if reason else [*leaving, *elsewhere]
    if applied:
        await store.apply_departure_async(
            conn, await store.insert_departure(conn, run, applied, counts.listed, None)
        )
    if reason:
        await store.insert_departure(conn, run, leaving, counts.listed, reason)
    log.info("leavers_detected", applied=len(applied), waiting=len(leaving) if reason else 0)
