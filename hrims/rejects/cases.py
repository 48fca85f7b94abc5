"""Opens, refreshes and closes cases: a page's rejects, or a run's end, come in.

A case is opened with its page, so that a run which fails later has still told what it met; it is closed when
the run ends, because only then it is known whether everybody was read.
"""

from collections.abc import Sequence

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
    await store.meet(conn, attempt, reading, page.size, page.number, page.total)


async def refresh(
    conn: AsyncConnection, attempt: Attempt, reading: int, size: int, number: int, total: int
) -> None:
    """Open or refresh the cases of a page whose rejects changed after it was saved."""
    if attempt.kind in WHOLE | {"rejected"}:
        await store.meet(conn, attempt, reading, size, number, total)


async def find_known_shared(
    conn: AsyncConnection, attempt: Attempt, rows: Sequence[tuple[int, Row]]
) -> list[tuple[int, Reject]]:
    """Return as rejects the rows that an earlier run rejected because their ZanID is another person's.

    Only a run that reads the whole list can see that the ZanID was corrected; a run that reads a part of it
    must not overwrite one person with the other.
    """
    if attempt.kind not in {"rejected", "person"}:
        return []
    open_cases = await store.find_open(conn, [shared(row.zan_id, digest(row)) for _, row in rows])
    return [(rows[at][0], shared_zan_id(rows[at][1].zan_id)) for at in open_cases]


async def settle(conn: AsyncConnection, attempt: Attempt, outcome: str, readings: tuple[int, ...]) -> None:
    """Closes what came right, in the transaction that ends the run."""
    if attempt.kind not in WHOLE | {"rejected"}:
        return
    if attempt.kind in WHOLE and outcome in COMPLETE:
        await store.close_what_was_not_met(conn, attempt, readings)
    else:
        await store.close_what_was_kept(conn, attempt, readings)
