"""Adds up whether everybody is there: the readings of a run come in, its outcome goes out."""

from dataclasses import dataclass

from hrims.config import Settings
from hrims.db import AsyncPool
from hrims.jobs.attempts.store import Attempt
from hrims.steady import patiently
from hrims.sync import settle, store
from hrims.sync.spans import Coverage
from hrims.sync.store import Ending

MOST_SHOWN = 5
"""Stretches of missing records that a run names."""


@dataclass(frozen=True)
class Sum:
    """The counts of one reading, or of the first and its edges together."""

    people: int
    """Distinct people kept."""
    rejected: int
    repeated: int
    """Records that repeat a ZanID within their own page: one answer, so nobody hides behind them."""
    seen_again: int
    """People met on more than one page. Alone they prove nothing: who moved may have pushed another out."""
    steady: bool
    """Whether HRIMS gave one and the same total with every page and at the end. If not, somebody who went
    may stand in the sum for somebody who was not met.
    """
    total: int
    gaps: tuple[tuple[int, int], ...]
    """The stretches of positions that HRIMS did not give."""
    readings: tuple[int, ...] = (1,)
    """The readings that were counted."""
    listed_twice: bool = False
    """Whether another whole reading met the same people, as often, under the same total: then those who
    were seen twice are listed twice.
    """

    moved: bool = False
    """Whether some moved, or went and as many came, under a total that stood still: then no sum can tell."""

    @property
    def accounted(self) -> int:
        """Records of the remote's total behind which nobody can be missing."""
        return self.people + self.rejected + self.repeated + (self.seen_again if self.listed_twice else 0)

    @property
    def missing(self) -> int:
        """How many of the remote's total are not accounted for; below 0 when there are more than it says."""
        return self.total - self.accounted

    @property
    def proven(self) -> bool:
        """Whether everybody is accounted for, and the sum can tell."""
        return self.missing == 0 and self.steady and not self.moved


async def add_up(attempt: Attempt, pool: AsyncPool, readings: list[int], total: int) -> Sum:
    """The sum of these readings against the remote's total as it is now."""

    async def count() -> Sum:
        async with pool.connection() as conn:
            saved, _ = await store.saved_pages(conn, attempt, readings[0])
            taken = Coverage((one.start, one.stop) for one in saved)
            counts = await store.count(conn, attempt, readings, total)
            return Sum(*counts, total, tuple(taken.gaps(total)), tuple(readings))

    return await patiently(count)


async def agree(attempt: Attempt, pool: AsyncPool, one: int, other: int) -> bool:
    """Whether two whole readings met the same people, as often, and as many rejects."""

    async def compare() -> bool:
        async with pool.connection() as conn:
            return await store.same_people(conn, attempt, one, other)

    return await patiently(compare)


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
    attempt: Attempt, pool: AsyncPool, settings: Settings, counted: Sum, *, repaired: bool
) -> str:
    """Ends the run with its outcome, in one transaction; returns the outcome.

    Raises Fenced when another attempt has taken over.
    """
    good = "complete_after_repair" if repaired else "complete"
    ending = Ending(
        outcome=good if counted.proven else "incomplete",
        total=counted.total,
        people=counted.people,
        rejected=counted.rejected,
        repeated=counted.accounted - counted.people - counted.rejected,
        seen_twice=counted.repeated + counted.seen_again,
        missing=counted.missing,
        why=None if counted.proven else why(counted),
    )

    await end(attempt, pool, settings, ending, counted.readings)
    return ending.outcome


async def end(
    attempt: Attempt, pool: AsyncPool, settings: Settings, ending: Ending, readings: tuple[int, ...]
) -> None:
    """Ends the run so, and draws the conclusions, in one transaction. Raises Fenced."""

    async def write() -> None:
        async with pool.connection() as conn:
            await store.check_fence(conn, attempt)
            await store.end(conn, attempt, ending, readings)
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
    if counted.seen_again and not counted.listed_twice:
        reasons.append(f"It gave {counted.seen_again:,} people on two pages, and may have left out as many.")
    return " ".join(reasons)


def _stretch(start: int, stop: int) -> str:
    return f"record {stop:,}" if stop - start == 1 else f"records {start + 1:,} to {stop:,}"
