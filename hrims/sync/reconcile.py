"""Adds up whether everybody is there: a run whose pages are saved comes in, its outcome goes out."""

from typing import NamedTuple

from hrims.db import AsyncPool, patiently
from hrims.jobs.store import Attempt
from hrims.sync import store


class Sum(NamedTuple):
    """The counts of a whole run. The remote's total must be the sum of the first three."""

    people: int
    """Distinct people kept."""
    rejected: int
    repeated: int
    """Records that repeat a ZanID within their own page: one answer, so nobody hides behind them."""
    seen_again: int
    """People met on more than one page. They prove nothing: who moved may have pushed another out."""
    total: int
    steady: bool
    """Whether HRIMS gave that total with every page. If not, somebody who went may stand in the sum for
    somebody who was not met.
    """


def missing(counted: Sum) -> int:
    """How many of the remote's total are not accounted for; below 0 when there are more than it says."""
    return counted.total - counted.people - counted.rejected - counted.repeated


def outcome_of(counted: Sum) -> str:
    """``complete`` only when everybody is accounted for, and the sum can tell."""
    return "complete" if missing(counted) == 0 and counted.steady else "incomplete"


async def finish(attempt: Attempt, pool: AsyncPool) -> str:
    """Counts the run and ends it with its outcome, in one transaction; returns the outcome.

    Raises Fenced when another attempt has taken over.
    """

    async def write() -> str:
        async with pool.connection() as conn:
            await store.check_fence(conn, attempt)
            counted = Sum(*await store.count(conn, attempt))
            outcome = outcome_of(counted)
            await store.end(
                conn,
                attempt,
                outcome=outcome,
                people=counted.people,
                seen_twice=counted.repeated + counted.seen_again,
                missing=missing(counted),
            )
            return outcome

    return await patiently(write)
