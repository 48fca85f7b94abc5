"""Opens, refreshes and closes cases: a page's rejects, or a run's end, come in.

A case is opened with its page, so that a run which fails later has still told what it met; it is closed when
the run ends, because only then it is known whether everybody was read.
"""

from collections.abc import Collection, Sequence

from hrims.db import AsyncConnection
from hrims.employees.digest import identity as digest
from hrims.employees.mapping import Reject, Row
from hrims.employees.rejects import shared_zan_id
from hrims.jobs.attempts.store import Attempt
from hrims.jobs.store import COMPLETE, WHOLE
from hrims.rejects import identity, store
from hrims.rejects.identity import Whose, shared
from hrims.remote.wire import Page


def identities(attempt: Attempt, page: Page, rejects: list[tuple[int, Reject]]) -> list[Whose]:
    """Return whose record each reject of a page is; nothing where only the preview that fetched it knows."""
    return [Whose(None)] * len(rejects) if attempt.kind == "apply" else identity.identities(page, rejects)


async def meet(conn: AsyncConnection, attempt: Attempt, page: Page, reading: int) -> None:
    """Opens or refreshes the cases of a page with rejects, in the page's transaction."""
    if attempt.kind not in WHOLE | {"rejected"}:
        return
    if attempt.kind == "apply":
        await store.take_identities_of_preview(conn, attempt, reading, page.size, page.number)
    await store.meet(conn, attempt, [(reading, page.size, page.number)])


async def refresh(conn: AsyncConnection, attempt: Attempt, pages: Collection[tuple[int, int, int]]) -> None:
    """Open or refresh the cases of saved pages (reading, size, number) whose rejects have changed."""
    if pages and attempt.kind in WHOLE | {"rejected"}:
        await store.meet(conn, attempt, pages)


async def find_known_shared(
    conn: AsyncConnection, attempt: Attempt, rows: Sequence[tuple[int, Row]]
) -> list[tuple[int, Reject]]:
    """Return as rejects the rows that an earlier run rejected because their ZanID is another person's.

    Only a run that reads the whole list can see that the ZanID was corrected; a run that reads a part of it
    must not overwrite one person with the other.
    """
    if attempt.kind not in {"rejected", "person"}:
        return []
    keys = [shared(row.zan_id, digest(row)) for _, row in rows]
    known = await store.find_known(conn, attempt.run_id, keys)
    return [(rows[at][0], shared_zan_id(rows[at][1].zan_id)) for at in known]


async def find_known(conn: AsyncConnection, attempt: Attempt, identities: list[str]) -> set[str]:
    """Return which of these identities have an open reject, or one of this run."""
    if not identities:
        return set()
    return {identities[at] for at in await store.find_known(conn, attempt.run_id, identities)}


async def settle(conn: AsyncConnection, attempt: Attempt, outcome: str, readings: tuple[int, ...]) -> None:
    """Closes what came right, in the transaction that ends the run."""
    if attempt.kind not in WHOLE | {"rejected"}:
        return
    if attempt.kind in WHOLE and outcome in COMPLETE:
        await store.close_what_was_not_met(conn, attempt, readings)
    else:
        await store.close_what_was_kept(conn, attempt, readings)
