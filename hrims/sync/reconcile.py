"""Adds up whether everybody is there: the readings of a run come in, its outcome goes out."""

from dataclasses import dataclass

from hrims.config import Settings
from hrims.db import AsyncPool
from hrims.jobs.attempts.store import Attempt
from hrims.steady import patiently
from hrims.sync import settle, store
from hrims.sync.page_fit.store import keep_page_size
from hrims.sync.spans import Coverage
from hrims.sync.store import Ending

MOST_SHOWN = 5
"""Stretches of missing records that a run names."""


@dataclass(frozen=True)
class Sum:
    """The counts of one reading, or of several together."""

    people: int
    """Distinct people kept."""
    rejected: int
    repeats: int
    """Records of employees that the reading holds already. They prove nothing until HRIMS, asked for each of
    their positions alone, gives the same person: a page that is answered wrongly repeats people as well.
    """
    steady: bool
    """Whether HRIMS gave one and the same total with every page and at the end. If not, somebody who went
    may stand in the sum for somebody who was not met.
    """
    total: int
    gaps: tuple[tuple[int, int], ...]
    """The stretches of positions that HRIMS did not give."""
    readings: tuple[int, ...] = (1,)
    """The readings that were counted."""
    contradicted: bool = False
    """Whether HRIMS gives a total of 0 after it sent records in this run."""
    open_ended: bool = False
    """Whether the list is one full page, and HRIMS did not show that nothing follows it."""
    listed_twice: int = 0
    """Repeats that HRIMS confirmed one record at a time."""
    moved: bool = False
    """Whether some moved, or went and as many came, under a total that stood still: then no sum can tell."""

    @property
    def accounted(self) -> int:
        """Records that are explained: saved, rejected or confirmed as repeats."""
        return self.people + self.rejected + self.listed_twice

    @property
    def missing(self) -> int:
        """How many of the remote's total are not accounted for; below 0 when there are more than it says."""
        return self.total - self.accounted

    @property
    def proven(self) -> bool:
        """Whether everybody is accounted for, and the sum can tell."""
        is_doubtful = self.moved or self.contradicted or self.open_ended
        return self.missing == 0 and self.steady and not is_doubtful


async def add_up(attempt: Attempt, pool: AsyncPool, readings: list[int], total: int) -> Sum:
    """The sum of these readings against the remote's total as it is now."""

    async def count() -> Sum:
        async with pool.connection() as conn:
            saved, _ = await store.saved_pages(conn, attempt, readings[0])
            taken = Coverage((one.start, one.stop) for one in saved)
            counts = await store.count(conn, attempt, readings, total)
            return Sum(
                people=counts.people,
                rejected=counts.rejected,
                repeats=counts.repeats,
                steady=counts.steady,
                contradicted=counts.contradicted,
                open_ended=counts.open_ended,
                total=total,
                gaps=tuple(taken.gaps(total)),
                readings=tuple(readings),
            )

    return await patiently(count)


async def absent(attempt: Attempt, pool: AsyncPool, readings: list[int]) -> int:
    """How many people the other readings met whom the first of them did not, and of whom it has no reject."""

    async def count() -> int:
        async with pool.connection() as conn:
            return await store.absent(conn, attempt, readings)

    return await patiently(count)


async def edges_hold(attempt: Attempt, pool: AsyncPool) -> bool:
    """Whether whoever stood beside an edge when it was looked at again was met on that page before."""

    async def compare() -> bool:
        async with pool.connection() as conn:
            return await store.edges_hold(conn, attempt)

    return await patiently(compare)


async def finish(
    attempt: Attempt,
    pool: AsyncPool,
    settings: Settings,
    counted: Sum,
    *,
    repaired: bool,
    base_url: str | None = None,
) -> str:
    """End the run with its outcome, in one transaction; return the outcome.

    Later runs of the endpoint at ``base_url`` use the page size that the run found. Raises Fenced when
    another attempt has taken over.
    """
    good = "complete_after_repair" if repaired else "complete"
    ending = Ending(
        outcome=good if counted.proven else "incomplete",
        total=counted.total,
        people=counted.people,
        rejected=counted.rejected,
        repeated=counted.listed_twice,
        seen_twice=counted.repeats,
        missing=counted.missing,
        why=None if counted.proven else why(counted),
    )

    await end(attempt, pool, settings, ending, counted.readings, base_url)
    return ending.outcome


async def end(
    attempt: Attempt,
    pool: AsyncPool,
    settings: Settings,
    ending: Ending,
    readings: tuple[int, ...],
    base_url: str | None = None,
) -> None:
    """End the run so, and draw the conclusions, in one transaction. Raises Fenced."""

    async def write() -> None:
        async with pool.connection() as conn:
            await store.check_fence(conn, attempt)
            await store.end(conn, attempt, ending, readings)
            if base_url:
                await keep_page_size(conn, attempt, base_url)
            await settle.settle(conn, attempt, ending.outcome, readings, settings)

    await patiently(write)


def why(counted: Sum) -> str:
    """Why the sum proves nothing, in words for an HR officer."""
    reasons = []
    if counted.gaps:
        shown = [_stretch(*one) for one in counted.gaps[:MOST_SHOWN]]
        more = " and others" if len(counted.gaps) > MOST_SHOWN else ""
        reasons.append(f"HRIMS did not give {', '.join(shown)}{more} of its list.")
    if not counted.steady:
        reasons.append("HRIMS changed its total while it was read.")
    if counted.moved:
        reasons.append("People moved, or went and came, while it was read, although its total stood still.")
    if counted.contradicted:
        reasons.append("HRIMS sent people, and then said that its list is empty.")
    if counted.open_ended:
        reasons.append("HRIMS did not show what follows its only page, so its list may be longer.")
    if unproven := counted.repeats - counted.listed_twice:
        reasons.append(f"HRIMS gave {_people(unproven)} twice, and may have left out as many.")
    return " ".join(reasons)


def _people(count: int) -> str:
    return "1 person" if count == 1 else f"{count:,} people"


def _stretch(start: int, stop: int) -> str:
    return f"record {stop:,}" if stop - start == 1 else f"records {start + 1:,} to {stop:,}"
