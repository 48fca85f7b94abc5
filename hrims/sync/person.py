"""The story of one attempt at one person: a ZanID or payroll number comes in; their row, or the reason why
there is none, goes out. Lists are left alone: that HRIMS knows somebody puts them on none, and that it does
not makes nobody a leaver.
"""

import logging
import time

from hrims.errors import RemoteError, RemoteGarbled, RemoteUnknown
from hrims.jobs.attempts.store import Attempt
from hrims.limits import breaker
from hrims.limits.slots import Slots
from hrims.remote.client import Remote
from hrims.remote.wire import Page, Person
from hrims.sync import pages, reconcile
from hrims.sync.pages import Asked
from hrims.sync.retry import Retry
from hrims.sync.work import Work
from hrims.text import compact

log = logging.getLogger(__name__)


async def bring(work: Work) -> None:
    """Brings one person up to date and ends the run.

    Raises RemoteError when HRIMS does not give the person, RemoteDown while it is not asked, Fenced when
    another attempt has taken over, Stopping when the worker is asked to stop.
    """
    attempt, remote, pool, settings, _ = work
    await breaker.pass_through(pool, remote)
    try:
        async with Slots(pool, settings.max_in_flight, settings.silent_seconds) as slots:
            asked = await _ask_until_answered(work, slots)
    except RemoteUnknown:
        raise RemoteUnknown("HRIMS knows nobody by this ZanID or payroll number.") from None
    except RemoteError as trouble:
        raise await breaker.suspect(pool, remote, settings, trouble) from trouble
    await pages.save(attempt, asked, pool, reading=1)
    counted = await reconcile.add_up(attempt, pool, [1], 1)
    outcome = await reconcile.finish(attempt, pool, settings, counted, repaired=False)
    log.info("run %s ended %s", attempt.run_id, outcome)


async def _ask_until_answered(work: Work, slots: Slots) -> Asked:
    attempt, retry = work.attempt, Retry(work)
    while True:
        try:
            async with slots.one():
                return await _ask(attempt, work.remote)
        except RemoteError as trouble:
            if not retry.may_repeat(trouble):
                raise
            log.info("run %s failed (%s)", attempt.run_id, trouble.code)
            await pages.note(attempt, f"{trouble} Asking again.", work.pool)
            await retry.pause(trouble)


async def _ask(attempt: Attempt, remote: Remote) -> Asked:
    began = time.monotonic()
    found = await remote.person(attempt.identifier)
    if isinstance(found, Person) and attempt.identifier not in _numbers_of(found):
        raise RemoteGarbled("HRIMS answered with another person than the one asked for.")
    page = Page(0, 1, 1, [found])
    return Asked(page, round((time.monotonic() - began) * 1000), pages.shape(page))


def _numbers_of(person: Person) -> set[str]:
    info = person.personal_info
    numbers = (info.zan_id_number, info.payroll_number) if info else ()
    return {compact(number) for number in numbers if number}
