"""A page size is proven by pages, not by one page that came short."""

from hypothesis import given
from hypothesis import strategies as st

from hrims.sync.page_fit.evidence import BITS, Evidence, MetPeople, is_suspicious
from hrims.sync.spans import Span


def test_it_works() -> None:
    evidence = Evidence()
    assert evidence.add(Span(200, 0), 100) is None
    assert evidence.add(Span(200, 1), 100) == 100


def test_one_page_that_is_always_short_proves_nothing() -> None:
    evidence = Evidence()
    assert [evidence.add(Span(200, 0), 199) for _ in range(5)] == [None] * 5


def test_a_full_page_disproves_a_smaller_size() -> None:
    evidence = Evidence()
    evidence.add_full(Span(200, 3))
    assert evidence.add(Span(200, 0), 100) is None
    assert evidence.add(Span(200, 1), 100) is None


def test_a_full_page_of_the_size_that_was_found_does_not() -> None:
    evidence = Evidence()
    evidence.add_full(Span(100, 0))
    assert evidence.add(Span(200, 1), 100) is None
    assert evidence.add(Span(200, 2), 100) == 100


def test_short_pages_of_other_lengths_are_passing_faults() -> None:
    evidence = Evidence()
    assert [evidence.add(Span(100, page), 100 - page) for page in range(1, 9)] == [None] * 8


def test_more_records_than_asked_for_are_proven_by_the_same_page_twice() -> None:
    evidence = Evidence()
    assert evidence.add(Span(10, 0), 50) is None
    assert evidence.add(Span(10, 0), 50) == 50


@given(st.lists(st.lists(st.integers(1, BITS - 1), unique=True), max_size=6))
def test_people_who_were_met_are_counted_exactly(pages: list[list[int]]) -> None:
    met, known = MetPeople(), set[int]()
    for people in pages:
        assert met.add(people) == len(known.intersection(people))
        known.update(people)


def test_a_few_people_who_moved_over_an_edge_are_not_suspicious() -> None:
    assert not is_suspicious(1, 1)
    assert not is_suspicious(3, 100)
    assert is_suspicious(50, 100)
    assert is_suspicious(2, 2)
