"""Whether HRIMS' answers have changed: a run that has just ended comes in, its changes are kept with it."""

from hrims.db import AsyncConnection
from hrims.drift import rules, store
from hrims.jobs.attempts.store import Attempt


async def settle(conn: AsyncConnection, attempt: Attempt) -> None:
    """Compares a run with the last completed one of the same listing, in the transaction that ends it."""
    if attempt.kind != "sync":
        return
    now = await store.measured(conn, attempt.run_id)
    earlier = await store.before(conn, attempt.run_id)
    met = await store.met_before(conn, attempt.run_id) if now.unknown and earlier else set()
    found = rules.changes(now, earlier and earlier[1], met)
    await store.keep(conn, attempt.run_id, earlier and earlier[0], now, found)
