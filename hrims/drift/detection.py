"""Detects drift when a run ends. Input: the run. Output: its changes, saved with it."""

from hrims.db import AsyncConnection
from hrims.drift import rules, store
from hrims.jobs.attempts.store import Attempt


async def detect_drift(conn: AsyncConnection, attempt: Attempt) -> None:
    """Compare a run with the last completed run of the same list, in the transaction that ends it."""
    if attempt.kind != "sync":
        return
    counts = await store.sum_counts(conn, attempt.run_id)
    previous = await store.find_previous(conn, attempt.run_id)
    known_fields = (
        await store.list_unknown_fields(conn, attempt.run_id) if counts.unknown and previous else set()
    )
    changes = rules.find_changes(counts, previous and previous[1], known_fields)
    await store.save(conn, attempt.run_id, previous and previous[0], counts, changes)
