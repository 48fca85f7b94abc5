"""Syncs one person.

Input: a ZanID or payroll number. Output: the person's row, or the reason why there is none.

Lists do not change. If HRIMS knows a person, that puts them on no list; if it does not, they do not become a
leaver.
"""

import time
from functools import partial

from hrims.errors import RemoteError, RemoteGarbled, RemoteUnknown
from hrims.jobs.attempts.rights import find_unknown_person, is_person_visible
from hrims.jobs.attempts.store import Attempt
from hrims.log import get_logger
from hrims.rejects.identity import identities
from hrims.remote.client import Remote
from hrims.remote.wire import Page, Person
from hrims.resilience import retry_on_disconnect
from hrims.sync import pages, reconcile, story
from hrims.sync.context import SyncContext
from hrims.sync.pages import FetchedPage
from hrims.sync.retry import Retry
from hrims.text import compact

log = get_logger(__name__)


async def sync_person(context: SyncContext) -> None:
    """Sync one person and end the run.

    Raises RemoteError if HRIMS does not return the person, RemoteDown while the circuit breaker is open,
    StaleAttempt if another attempt has taken over. Raises ShutdownRequested if the worker is asked to stop.
    """
    attempt, pool = context.attempt, context.pool
    async with context.use_remote():
        fetched = await _fetch_visible(context)
    if not fetched:
        # Raised in one place, because the page of the run shows the traceback to the requester.
        raise await retry_on_disconnect(partial(find_unknown_person, pool, attempt))
    await pages.save(attempt, fetched, pool, reading=1)
    counted = await reconcile.reconcile(attempt, pool, [1], 1)
    outcome = await reconcile.finish(attempt, pool, context.settings, counted, repaired=False)
    await story.log_end(attempt, pool, outcome)


async def _fetch_visible(context: SyncContext) -> FetchedPage | None:
    """Return the person, or None if HRIMS has none with this number that the requester may see."""
    try:
        fetched = await _fetch_until_answered(context)
    except RemoteUnknown:
        return None
    return fetched if await _is_visible(context, fetched) else None


async def _is_visible(context: SyncContext, fetched: FetchedPage) -> bool:
    """Return whether the requester may see the person, who may also be a reject."""
    known = {(row.zan_id, row.current_workplace) for _, row in fetched.mapped.rows}
    rejected = {
        ("", person.workplace) for person in identities(fetched.page, fetched.mapped.rejects) if not known
    }
    for zan_id, workplace in known | rejected:
        check = partial(is_person_visible, context.pool, context.attempt, zan_id, workplace)
        if not await retry_on_disconnect(check):
            return False
    return True


async def _fetch_until_answered(context: SyncContext) -> FetchedPage:
    attempt, retry = context.attempt, Retry(context)
    while True:
        try:
            async with context.slots.acquire():
                return await _fetch(attempt, context.remote)
        except RemoteError as error:
            if not retry.may_repeat(error):
                raise
            log.info("person_failed", code=error.code, status=error.status, ms=error.ms)
            await pages.note(attempt, f"{error} Requesting again.", context.pool)
            await retry.pause(error)


async def _fetch(attempt: Attempt, remote: Remote) -> FetchedPage:
    began = time.monotonic()
    found = await remote.person(attempt.identifier)
    if isinstance(found, Person) and attempt.identifier not in _numbers_of(found):
        raise RemoteGarbled("HRIMS answered with another person than the one asked for.")
    page = Page(0, 1, 1, [found])
    return FetchedPage(page, round((time.monotonic() - began) * 1000), pages.map_page(page))


def _numbers_of(person: Person) -> set[str]:
    info = person.personal_info
    numbers = (info.zan_id_number, info.payroll_number) if info else ()
    return {compact(number) for number in numbers if number}
