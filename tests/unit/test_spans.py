"""Pages that cover a listing exactly, whatever their sizes."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from hrims.sync.spans import Coverage, Span, cover

CALM = settings(deadline=None)
"""No test asserts a time that the machine could miss."""

stretches = st.tuples(st.integers(0, 400), st.integers(0, 400)).map(sorted)


def test_it_works() -> None:
    assert list(cover(0, 100, 50)) == [Span(50, 0), Span(50, 1)]
    assert list(Span(100, 3).parts()) == [Span(20, number) for number in range(15, 20)]
    assert list(Span(100, 3).parts(2)) == [Span(50, 6), Span(50, 7)]
    assert list(Span(25, 3).parts(2)) == [Span(5, number) for number in range(15, 20)]
    assert list(Span(77, 1).parts()) == [Span(11, 7), Span(22, 4), Span(22, 5), Span(22, 6)]
    assert list(Span(1, 7).parts()) == []


@CALM
@given(start=st.integers(0, 2000), length=st.integers(0, 500), size=st.integers(1, 500))
def test_a_cover_holds_every_position_once_and_nothing_else(start: int, length: int, size: int) -> None:
    held = [
        position for span in cover(start, start + length, size) for position in range(span.start, span.stop)
    ]
    assert held == list(range(start, start + length))


@CALM
@given(number=st.integers(0, 500), size=st.integers(1, 500))
def test_splitting_ends_at_single_records(number: int, size: int) -> None:
    spans, depth = [Span(size, number)], 0
    while any(span.size > 1 for span in spans):
        spans = [part for span in spans for part in (list(span.parts()) or [span])]
        depth += 1
        assert depth <= 9
    assert [span.number for span in spans] == list(range(number * size, (number + 1) * size))


@CALM
@given(edge=st.integers(1, 3000), beside=st.integers(1, 12))
def test_a_page_astride_an_edge_holds_its_neighbours(edge: int, beside: int) -> None:
    span = Span.astride(edge, beside)
    assert span.start <= max(0, edge - beside)
    assert span.stop >= edge + beside


def test_a_page_astride_an_edge_is_small() -> None:
    for edge in range(100, 100_000, 100):
        assert Span.astride(edge, 2).size <= 17
        assert Span.astride(edge, 10).size <= 40


@CALM
@given(added=st.lists(stretches), removed=st.lists(stretches), total=st.integers(0, 450))
def test_coverage_is_a_set_of_positions(added: list[list[int]], removed: list[list[int]], total: int) -> None:
    coverage, model = Coverage(), set[int]()
    for start, stop in added:
        coverage.add(start, stop)
        model |= set(range(start, stop))
    for start, stop in removed:
        coverage.remove(start, stop)
        model -= set(range(start, stop))
    assert len(coverage) == len(model)
    assert all((position in coverage) == (position in model) for position in range(402))
    assert all(here[1] < there[0] for here, there in itertools.pairwise(coverage.stretches))
    gaps = [position for start, stop in coverage.gaps(total) for position in range(start, stop)]
    assert gaps == [position for position in range(total) if position not in model]


def test_no_empty_range_is_kept() -> None:
    """It would split the gap around it, and the pages of that gap."""
    coverage = Coverage([(5, 5)])
    assert coverage.stretches == []
    assert "5" not in Coverage([(0, 10)])
    coverage.add(0, 10)
    coverage.remove(0, 4)
    coverage.remove(8, 10)
    coverage.remove(6, 6)
    assert coverage.stretches == [(4, 8)]


def test_ten_thousand_stretches_are_joined_one_by_one() -> None:
    """As the edges of a million people's listing are: it ends, because nothing is walked over twice."""
    coverage = Coverage((start, start + 80) for start in range(0, 1_000_000, 100))
    while gap := next(coverage.gaps(1_000_000), None):
        coverage.add(*gap)
    assert coverage.stretches == [(0, 1_000_000)]
