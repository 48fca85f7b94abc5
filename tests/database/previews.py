"""Previews by the product's own functions. Input: records. Output: runs."""

from typing import Any

from hrims.access.scope import EVERYTHING
from hrims.config import load
from hrims.db import AsyncPool, Connection
from hrims.jobs.attempts.store import Attempt
from hrims.jobs.enqueue import EnqueueResult as Queued
from hrims.previews import actions, store
from hrims.runs import store as run_store
from hrims.sync import apply, pages, reconcile
from hrims.sync.context import SyncContext
from hrims.sync.pages import FetchedPage
from hrims.sync.repeats.resolve import resolve
from tests.database.runs import begin, enqueue_run_of
from tests.support.people import page
from tests.support.users import ASHA

PAGE_SIZE = 10


def queue(conn: Connection, institution_id: int, kind: str = "preview", vote: str = "001") -> int:
    """Enqueue a run of this kind and return its id."""
    return enqueue_run_of(conn, institution_id, vote, PAGE_SIZE, kind)


async def fetch(
    conn: Connection,
    pool: AsyncPool,
    institution_id: int,
    records: list[dict[str, Any]],
    kind: str = "preview",
    *,
    vote: str = "001",
) -> int:
    """Return the id of a finished run of this kind over the records, in pages of PAGE_SIZE."""
    attempt = await begin(conn, pool, queue(conn, institution_id, kind, vote))
    await save_all(attempt, pool, records)
    await end(attempt, pool, len(records))
    return attempt.run_id


async def save_all(
    attempt: Attempt, pool: AsyncPool, records: list[dict[str, Any]], reading: int = 1
) -> None:
    """Save the records as pages of a reading."""
    for number in range(max(1, -(-len(records) // PAGE_SIZE))):
        some = records[number * PAGE_SIZE : (number + 1) * PAGE_SIZE]
        fetched = page(some, total=len(records), number=number, size=PAGE_SIZE)
        await pages.save(attempt, FetchedPage(fetched, 5, pages.map_page(fetched)), pool, reading=reading)


async def end(attempt: Attempt, pool: AsyncPool, total: int, readings: list[int] | None = None) -> None:
    """End the run by its first pass, or by these passes."""
    await resolve(attempt, pool, readings or [1])
    counted = await reconcile.reconcile(attempt, pool, readings or [1], total)
    await reconcile.finish(attempt, pool, load({}), counted, repaired=False)


def wanted(conn: Connection, preview_id: int) -> actions.PreviewTarget:
    """Return what ``actions`` wants to know of a preview."""
    run = run_store.find_run(conn, EVERYTHING, preview_id)
    assert run
    assert run.institution_id
    return actions.PreviewTarget(
        run.id,
        run.state,
        run.institution_id,
        run.institution,
        run.identifier_type,
        run.identifier,
        run.page_size,
    )


def approve(conn: Connection, preview_id: int) -> Queued:
    """Approve the difference as the user saw it, and return the id of the run."""
    version = store.compare(conn, preview_id).version
    return actions.apply(conn, ASHA, wanted(conn, preview_id), version)


async def carry_out(conn: Connection, pool: AsyncPool, run_id: int) -> None:
    """Apply, as a worker does whose remote is not there."""
    attempt = await begin(conn, pool, run_id)
    await apply.apply(SyncContext(attempt, None, pool, load({}), lambda: False))  # type: ignore[arg-type] # it makes no request
