"""Compares a run's counts with HRIMS' total. Input: the passes of a run. Output: its outcome."""

from dataclasses import dataclass, replace

from hrims.config import Settings
from hrims.db import AsyncPool
from hrims.jobs.attempts.store import Attempt
from hrims.resilience import retry_on_disconnect
from hrims.sync import finalize, store
from hrims.sync.page_fit.store import save_page_size
from hrims.sync.spans import Coverage
from hrims.sync.store import Ending

MAX_SHOWN = 5
"""Maximum number of ranges of missing records that a run's message names."""


@dataclass(frozen=True)
class Reconciliation:
    """The counts of one pass, or of several together."""

    people: int
    """Distinct people who were saved."""
    rejected: int
    seen_twice: int
    """Records of employees that the pass holds already. They prove nothing until HRIMS returns the same
    person for each of their positions alone. A wrong response to a page repeats people as well.
    """
    is_total_stable: bool
    """Whether HRIMS gave the same total with every page and at the end. If not, a person who left may offset
    a person who was missed.
    """
    total: int
    gaps: tuple[tuple[int, int], ...]
    """The ranges of positions that HRIMS did not return."""
    readings: tuple[int, ...] = (1,)
    """The passes that were counted."""
    is_contradicted: bool = False
    """Whether HRIMS gives a total of 0 after it sent records in this run."""
    is_open_ended: bool = False
    """Whether the list is one full page, and HRIMS did not show that nothing follows it."""
    listed_twice: int = 0
    """Repeats that HRIMS confirmed, one record at a time."""
    has_moved: bool = False
    """Whether people moved, or as many left as joined, while the total did not change. Then no count is a
    proof.
    """

    @property
    def accounted(self) -> int:
        """Records that are explained: saved, rejected or confirmed as repeats."""
        return self.people + self.rejected + self.listed_twice

    @property
    def missing(self) -> int:
        """The part of HRIMS' total that is not accounted for; negative if more records are."""
        return self.total - self.accounted

    @property
    def is_proven(self) -> bool:
        """Whether every record is accounted for, and the counts are a proof."""
        is_doubtful = self.has_moved or self.is_contradicted or self.is_open_ended
        return self.missing == 0 and self.is_total_stable and not is_doubtful


NOT_COUNTED = Reconciliation(people=0, rejected=0, seen_twice=0, is_total_stable=False, total=0, gaps=())
"""The reconciliation before the first step. It proves nothing."""


async def reconcile(attempt: Attempt, pool: AsyncPool, readings: list[int], total: int) -> Reconciliation:
    """Compare the counts of these passes with HRIMS' current total."""

    async def count() -> Reconciliation:
        async with pool.connection() as conn:
            saved, _ = await store.saved_pages(conn, attempt, readings[0])
            taken = Coverage((page.start, page.stop) for page in saved)
            counts = await store.count(conn, attempt, readings, total)
            return Reconciliation(
                people=counts.people,
                rejected=counts.rejected,
                seen_twice=counts.seen_twice,
                is_total_stable=counts.is_total_stable,
                is_contradicted=counts.is_contradicted,
                is_open_ended=counts.is_open_ended,
                total=total,
                gaps=tuple(taken.gaps(total)),
                readings=tuple(readings),
            )

    return await retry_on_disconnect(count)


async def recount(attempt: Attempt, pool: AsyncPool, counted: Reconciliation) -> Reconciliation:
    """Count the same passes again, after some of their records became rejects."""
    again = await reconcile(attempt, pool, list(counted.readings), counted.total)
    return replace(again, listed_twice=counted.listed_twice, has_moved=counted.has_moved)


async def count_absent(attempt: Attempt, pool: AsyncPool, readings: list[int]) -> int:
    """Return how many people the other passes met and the first of them did not.

    People that a reject of the first pass explains do not count.
    """

    async def count() -> int:
        async with pool.connection() as conn:
            return await store.count_absent(conn, attempt, readings)

    return await retry_on_disconnect(count)


async def edges_hold(attempt: Attempt, pool: AsyncPool) -> bool:
    """Return whether the people beside the edges are on the page where the first pass met them.

    The people beside an edge are those that the pass EDGES met.
    """

    async def compare() -> bool:
        async with pool.connection() as conn:
            return await store.edges_hold(conn, attempt)

    return await retry_on_disconnect(compare)


async def finish(
    attempt: Attempt,
    pool: AsyncPool,
    settings: Settings,
    counted: Reconciliation,
    *,
    repaired: bool,
    base_url: str | None = None,
) -> str:
    """End the run with its outcome, in one transaction. Return the outcome.

    Later runs of the endpoint at ``base_url`` use the page size that the run found. Raises StaleAttempt if
    another attempt has taken over.
    """
    ending = ending_of(counted, repaired=repaired)
    await end(attempt, pool, settings, ending, counted.readings, base_url)
    return ending.outcome


def ending_of(counted: Reconciliation, *, repaired: bool) -> Ending:
    """Return the end of a run with these counts. It is complete only if they prove it."""
    good = "complete_after_repair" if repaired else "complete"
    return Ending(
        outcome=good if counted.is_proven else "incomplete",
        total=counted.total,
        people=counted.people,
        rejected=counted.rejected,
        listed_twice=counted.listed_twice,
        seen_twice=counted.seen_twice,
        missing=counted.missing,
        why=None if counted.is_proven else explain(counted),
    )


async def end(
    attempt: Attempt,
    pool: AsyncPool,
    settings: Settings,
    ending: Ending,
    readings: tuple[int, ...],
    base_url: str | None = None,
) -> None:
    """End the run as ``ending`` says, and finalize it, in one transaction. Raises StaleAttempt."""

    async def write() -> None:
        async with pool.connection() as conn:
            await store.check_attempt(conn, attempt)
            await store.end(conn, attempt, ending, readings)
            if base_url:
                await save_page_size(conn, attempt, base_url)
            await finalize.finalize_run(conn, attempt, ending.outcome, readings, settings)

    await retry_on_disconnect(write)


def explain(counted: Reconciliation) -> str:
    """Return why the counts prove nothing, as a message for an HR officer."""
    reasons = []
    if counted.gaps:
        shown = [_format_range(*gap) for gap in counted.gaps[:MAX_SHOWN]]
        more = " and others" if len(counted.gaps) > MAX_SHOWN else ""
        reasons.append(f"HRIMS did not give {', '.join(shown)}{more} of its list.")
    if not counted.is_total_stable:
        reasons.append("HRIMS changed its total while it was read.")
    if counted.has_moved:
        reasons.append(
            "People moved, or left and joined, while it was read, although its total did not change."
        )
    if counted.is_contradicted:
        reasons.append("HRIMS sent people, and then said that its list is empty.")
    if counted.is_open_ended:
        reasons.append("HRIMS did not show what follows its only page, so its list may be longer.")
    if unproven := counted.seen_twice - counted.listed_twice:
        reasons.append(f"HRIMS gave {_people(unproven)} twice, and may have left out as many.")
    return " ".join(reasons)


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"


def _format_range(start: int, stop: int) -> str:
    return f"record {stop:,}" if stop - start == 1 else f"records {start + 1:,} to {stop:,}"
