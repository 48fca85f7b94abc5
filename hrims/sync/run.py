"""The story of one attempt at a run, from the checkpoint to the outcome."""

import logging
from collections.abc import Callable

from hrims.config import Settings
from hrims.db import AsyncPool
from hrims.jobs.attempt import Stopping
from hrims.jobs.store import Attempt
from hrims.remote.client import Remote
from hrims.sync import pages, reconcile

log = logging.getLogger(__name__)


async def bring(
    attempt: Attempt,
    remote: Remote,
    pool: AsyncPool,
    settings: Settings,
    is_stopping: Callable[[], bool],
) -> None:
    """Brings one institution up to date: goes on where the run stopped, saves page by page, and ends
    the run with its outcome.

    Raises RemoteError when a page cannot be had, Fenced when another attempt has taken over, Stopping
    between two pages when the worker is asked to stop; the pages saved until then stay saved.
    """
    checkpoint = await pages.read_checkpoint(pool, attempt)
    while (number := checkpoint.next_page()) is not None:
        if is_stopping():
            raise Stopping
        asked = await pages.ask(remote, attempt, number, pool, settings)
        await pages.save(attempt, asked, pool)
        checkpoint.add(number, asked.page.total)
    outcome = await reconcile.finish(attempt, pool)
    log.info("run %s ended %s", attempt.run_id, outcome)
