"""Reading the page edges again shows whether a person moved from an unread page to one that was read.

This holds also if people leave and join while the total stays the same.
"""

import itertools
from collections.abc import Iterator
from random import Random
from typing import Any

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from hrims.db import AsyncPool, Connection
from hrims.jobs.attempts.store import Attempt
from hrims.sync import reconcile
from hrims.sync.passes import VERIFY_EDGE_SIZE
from hrims.sync.spans import Coverage, Span, cover
from hrims.sync.store import EDGES, FIRST
from tests.database.runs import institution
from tests.database.sync_steps import begin_new_run

NUMBERS = itertools.count(1)
"""Of institutions."""

NAMELESS = 0
"""A person without ZanID: a reject, of which only the position is known."""


class Listing:
    """Who stands where, while people go and come; the total stands still."""

    def __init__(self, size: int, nameless: int | None) -> None:
        self.people = list(range(1, size + 1))
        if nameless is not None:
            self.people[nameless % size] = NAMELESS
        self.throughout = set(self.people) - {NAMELESS}
        self._new = itertools.count(size + 1)

    def swap(self, went: int, came: int) -> None:
        """Remove one person and add another elsewhere between two requests."""
        gone = self.people.pop(went % len(self.people))
        self.throughout.discard(gone)
        self.people.insert(came % (len(self.people) + 1), next(self._new))

    def page(self, span: Span) -> list[int]:
        return self.people[span.start : span.stop]


def _keep(conn: Connection, attempt: Attempt, reading: int, span: Span, people: list[int]) -> None:
    named = [person for person in people if person != NAMELESS]
    where = (attempt.run_id, reading, span.size, span.number)
    conn.execute(
        "INSERT INTO run_pages"
        " (run_id, reading, page_size, page_number, attempt, remote_total, records, people)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
        (*where, attempt.number, 0, len(people), named),
    )
    if NAMELESS in people:
        conn.execute(
            "INSERT INTO rejects (run_id, reading, page_size, page_number, position, code, reason)"
            " VALUES (%s, %s, %s, %s, %s, 'no_zan_id', 'no ZanID')",
            (*where, people.index(NAMELESS)),
        )


def _astride(size: int, page_size: int) -> Iterator[Span]:
    edges = range(page_size, size, page_size)
    astride = Coverage(
        (span.start, span.stop) for span in (Span.astride(edge, VERIFY_EDGE_SIZE) for edge in edges)
    )
    return itertools.chain.from_iterable(cover(*stretch, page_size) for stretch in astride.stretches)


swaps = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=3)


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@example(size=30, page_size=10, before=[[], [(0, 25)], [(25, 0)]], order=0, nameless=None)
@given(
    size=st.integers(10, 60),
    page_size=st.sampled_from((9, 10, 12)),
    before=st.lists(swaps, max_size=12),
    order=st.integers(0, 5),
    nameless=st.none() | st.integers(0, 59),
)
async def test_a_move_across_an_edge_is_detected(
    conn: Connection,
    pool: AsyncPool,
    size: int,
    page_size: int,
    before: Any,
    order: int,
    nameless: int | None,
) -> None:
    attempt = await _attempt(conn, pool)
    listing = Listing(size, nameless)
    changes = iter(before)
    pages = [Span(page_size, number) for number in range(-(-size // page_size))]
    if order:
        Random(order).shuffle(pages)
    met: set[int] = set()
    for span in pages:
        for swap in next(changes, []):
            listing.swap(*swap)
        _keep(conn, attempt, FIRST, span, listing.page(span))
        met |= set(listing.page(span))
    listed = set(listing.people) & listing.throughout
    for span in _astride(size, page_size):
        for swap in next(changes, []):
            listing.swap(*swap)
        _keep(conn, attempt, EDGES, span, listing.page(span))
    if await reconcile.edges_hold(attempt, pool):
        assert not (listed & listing.throughout) - met
    if not before:
        assert await reconcile.edges_hold(attempt, pool), "nothing moved"


async def _attempt(conn: Connection, pool: AsyncPool) -> Attempt:
    """Begin a run of an institution of its own: that is quicker than emptying the tables."""
    number = next(NUMBERS)
    # A user has at most 100 unfinished runs.
    conn.execute("UPDATE runs SET state = 'cancelled', finished_at = now() WHERE finished_at IS NULL")
    id_ = institution(conn, f"TAASISI {number}", f"{number:06d}", f"{number:09d}")
    return await begin_new_run(conn, pool, id_, vote=f"{number:06d}")
