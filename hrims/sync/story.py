"""The story of a run in the log: its start, each page and its end, with the counts so far.

Input: an attempt, counts. Output: events. The identifier of a person's run appears in none.
"""

import psycopg
from psycopg_pool import PoolTimeout

from hrims.db import AsyncPool
from hrims.jobs.attempts.store import Attempt
from hrims.log import get_logger
from hrims.remote.wire import Page
from hrims.resilience import retry_on_disconnect
from hrims.sync import store
from hrims.sync.progress import Progress

log = get_logger(__name__)


async def log_start(attempt: Attempt, pool: AsyncPool) -> None:
    """Log the start of a run, or that a later attempt continues it from its saved pages."""
    identifier = None if attempt.kind == "person" else attempt.identifier
    if attempt.number == 1:
        log.info(
            "run_started",
            kind=attempt.kind,
            identifier_type=attempt.identifier_type,
            identifier=identifier,
            page_size=attempt.page_size,
        )
        return
    progress = await retry_on_disconnect(lambda: _find_progress(attempt, pool))
    log.info(
        "run_resumed",
        kind=attempt.kind,
        identifier_type=attempt.identifier_type,
        identifier=identifier,
        page_size=attempt.page_size,
        pages=progress.pages,
        saved=progress.saved,
        total=progress.total,
        percent=progress.percent,
    )


def log_page(page: Page, records: int, people: int, fetch_ms: int, save_ms: int, progress: Progress) -> None:
    """Log a saved page: its records, and the counts of the run after it."""
    log.info(
        "page_saved",
        page=page.number,
        size=page.size,
        records=records,
        people=people,
        saved=progress.saved,
        skipped=progress.skipped,
        total=progress.total,
        percent=progress.percent,
        ms=fetch_ms + save_ms,
        fetch_ms=fetch_ms,
        save_ms=save_ms,
    )


async def log_end(attempt: Attempt, pool: AsyncPool, outcome: str) -> None:
    """Log the end of a run and its counts. If the database is away, log what is known."""
    try:
        progress = await _find_progress(attempt, pool)
    except (psycopg.Error, PoolTimeout):
        progress = Progress()
    log.info(
        "run_ended",
        outcome=outcome,
        saved=progress.saved,
        skipped=progress.skipped,
        missing=progress.missing,
        total=progress.total,
        pages=progress.pages,
        seconds=progress.seconds and round(progress.seconds, 1),
    )


async def _find_progress(attempt: Attempt, pool: AsyncPool) -> Progress:
    async with pool.connection() as conn:
        return await store.find_progress(conn, attempt)
