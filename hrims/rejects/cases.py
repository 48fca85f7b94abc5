"""Opens, refreshes and closes cases. Input: the rejects of a page, or the end of a run.

A case opens with its page, so that a run that fails later has still reported its rejects. It closes when the
run ends, because only then is it known whether the run read the whole list.
"""

from collections.abc import Collection, Sequence

from hrims.db import AsyncConnection
from hrims.employees.digest import compute_identity
from hrims.employees.fields import Row
from hrims.employees.rejects import Reject, reject_shared_zan_id
from hrims.jobs.attempts.store import Attempt
from hrims.jobs.store import COMPLETE, FULL_LIST_KINDS
from hrims.rejects import identity, store
from hrims.rejects.identity import RejectedPerson, shared_key
from hrims.remote.wire import Page


def identities(attempt: Attempt, page: Page, rejects: list[tuple[int, Reject]]) -> list[RejectedPerson]:
    """Return the owner of each reject of a page.

    An apply run does not have the records: the identities are empty, and only its preview knows them.
    """
    return (
        [RejectedPerson(None)] * len(rejects)
        if attempt.kind == "apply"
        else identity.identities(page, rejects)
    )


async def open_cases(conn: AsyncConnection, attempt: Attempt, page: Page, reading: int) -> None:
    """Open or refresh the cases of a page with rejects, in the page's transaction."""
    if attempt.kind not in FULL_LIST_KINDS | {"rejected"}:
        return
    if attempt.kind == "apply":
        await store.copy_identities(conn, attempt, reading, page.size, page.number)
    await store.upsert_cases(conn, attempt, [(reading, page.size, page.number)])


async def refresh_cases(
    conn: AsyncConnection, attempt: Attempt, pages: Collection[tuple[int, int, int]]
) -> None:
    """Open or refresh the cases of saved pages (reading, size, number) whose rejects have changed."""
    if pages and attempt.kind in FULL_LIST_KINDS | {"rejected"}:
        await store.upsert_cases(conn, attempt, pages)


async def find_known_shared(
    conn: AsyncConnection, attempt: Attempt, rows: Sequence[tuple[int, Row]]
) -> list[tuple[int, Reject]]:
    """Return as rejects the rows that an earlier run rejected because another person has their ZanID.

    Only a run that reads the whole list can detect that the ZanID was corrected. A run that reads a part of
    it must not overwrite one person with the other.
    """
    if attempt.kind not in {"rejected", "person"}:
        return []
    keys = [shared_key(row.zan_id, compute_identity(row)) for _, row in rows]
    known = await store.find_known(conn, attempt.run_id, keys)
    return [(rows[at][0], reject_shared_zan_id(rows[at][1].zan_id)) for at in known]


async def find_known(conn: AsyncConnection, attempt: Attempt, identities: list[str]) -> set[str]:
    """Return which of these identities have an open case, or a reject of this run."""
    if not identities:
        return set()
    return {identities[at] for at in await store.find_known(conn, attempt.run_id, identities)}


async def close_cases(
    conn: AsyncConnection, attempt: Attempt, outcome: str, readings: tuple[int, ...]
) -> None:
    """Close the cases that came right, in the transaction that ends the run."""
    if attempt.kind not in FULL_LIST_KINDS | {"rejected"}:
        return
    if attempt.kind in FULL_LIST_KINDS and outcome in COMPLETE:
        await store.close_unmet(conn, attempt, readings)
    else:
        await store.close_saved(conn, attempt, readings)
