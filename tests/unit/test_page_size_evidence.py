"""A page size is proven by pages, not by one page that came short."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrims.errors import RemoteEndless
from hrims.jobs.enqueue import MAX_PAGE_SIZE
from hrims.sync.page_fit.evidence import BITS, Evidence, MetPeople, is_suspicious
from hrims.sync.page_fit.fit import PageSizeFound
from hrims.sync.page_fit.restarts import Restarts
from hrims.sync.spans import Span

TOTAL = 1_000


def add(evidence: Evidence, *answers: tuple[Span, int]) -> list[int | None]:
    return [evidence.add(span, records) for span, records in answers]


def test_it_works() -> None:
    first, second = (Span(200, 0), 100), (Span(200, 1), 100)
    assert add(Evidence(), first, second, first, second) == [None, None, None, 100]


def test_two_pages_that_were_short_once_are_a_passing_fault() -> None:
    assert add(Evidence(), *((Span(200, number), 100) for number in range(5))) == [None] * 5


def test_one_page_that_is_always_short_proves_nothing() -> None:
    assert add(Evidence(), *[(Span(200, 0), 199)] * 5) == [None] * 5


@pytest.mark.parametrize("number", [0, 4])
def test_a_full_page_disproves_a_smaller_size(number: int) -> None:
    evidence = Evidence()
    evidence.add_full(Span(200, number), TOTAL)
    assert add(evidence, *[(Span(200, page), 100) for page in (1, 2, 1, 2)]) == [None] * 4


def test_a_full_page_of_the_found_size_does_not_disprove_it() -> None:
    evidence = Evidence()
    evidence.add_full(Span(100, 0), TOTAL)
    assert add(evidence, *[(Span(200, page), 100) for page in (1, 2, 1, 2)])[-1] == 100


def test_a_full_page_disproves_a_larger_size() -> None:
    """HRIMS sent more than it was asked for by chance, whatever the page."""
    evidence = Evidence()
    evidence.add_full(Span(100, 0), TOTAL)
    assert add(evidence, *[(Span(100, page), 1_200) for page in (1, 2, 1, 2, 1, 2)]) == [None] * 6


def test_the_last_page_does_not_disprove_a_larger_size() -> None:
    """HRIMS had no more to send."""
    evidence = Evidence()
    evidence.add_full(Span(10, 1), 20)
    assert add(evidence, *[(Span(10, 0), 20)] * 3) == [None, None, 20]


def test_short_pages_of_other_lengths_are_passing_faults() -> None:
    assert add(Evidence(), *((Span(100, page), 100 - page) for page in range(1, 9))) == [None] * 8


def test_more_records_than_asked_for_are_proven_by_one_page() -> None:
    assert add(Evidence(), *[(Span(10, 0), 50)] * 3) == [None, None, 50]


def test_answers_to_wrong_pages_show_a_likely_cap() -> None:
    evidence = Evidence()
    add(evidence, (Span(50, 0), 20))
    assert evidence.likely_cap(50) is None
    add(evidence, (Span(50, 1), 20), (Span(50, 2), 3), (Span(25, 4), 20))
    assert evidence.likely_cap(50) == 20
    assert evidence.likely_cap(25) is None
    evidence.add_full(Span(25, 3), TOTAL)
    assert evidence.likely_cap(50) is None


def found(size: int, *, is_cap: bool) -> PageSizeFound:
    return PageSizeFound(size, "HRIMS gives other pages.", is_cap=is_cap)


def test_a_cap_is_found_once() -> None:
    restarts = Restarts(100)
    restarts.add(found(50, is_cap=True))
    assert restarts.size == 50
    with pytest.raises(RemoteEndless, match="whatever the page size: 25 of a page of 50"):
        restarts.add(found(25, is_cap=True))


def test_the_largest_page_size_may_be_used() -> None:
    restarts = Restarts(100)
    restarts.add(found(MAX_PAGE_SIZE, is_cap=False))
    assert restarts.size == MAX_PAGE_SIZE


def test_pages_that_are_misplaced_may_be_halved_below_a_cap() -> None:
    restarts = Restarts(100)
    for finding in (found(50, is_cap=True), found(25, is_cap=False), found(12, is_cap=False)):
        restarts.add(finding)
    assert restarts.size == 12


@pytest.mark.parametrize("sizes", [[501], [20, 30]])
def test_pages_that_grow_with_what_is_asked_for_end_the_pass(sizes: list[int]) -> None:
    restarts = Restarts(10)
    for size in sizes[:-1]:
        restarts.add(found(size, is_cap=False))
    with pytest.raises(RemoteEndless, match="not the ones asked for"):
        restarts.add(found(sizes[-1], is_cap=False))


@given(st.lists(st.lists(st.integers(1, BITS - 1), unique=True), max_size=6))
def test_met_people_are_counted_exactly(pages: list[list[int]]) -> None:
    met, known = MetPeople(), set[int]()
    for people in pages:
        assert met.add(people) == len(known.intersection(people))
        known.update(people)


def test_neighbours_are_different_people() -> None:
    met = MetPeople()
    assert met.add(range(100)) == 0
    assert met.add(range(50, 150)) == 50


def test_a_few_people_who_moved_over_an_edge_are_not_suspicious() -> None:
    assert not is_suspicious(1, 1)
    assert not is_suspicious(3, 100)
    assert not is_suspicious(3, 7)
    assert is_suspicious(50, 100)
    assert is_suspicious(2, 2)


def test_full_pages_of_the_very_size_that_was_found_are_no_contradiction() -> None:
    evidence = Evidence()
    evidence.add_full(Span(60, 0), TOTAL)
    assert add(evidence, *[(Span(20, 0), 60)] * 3)[-1] == 60
    capped = Evidence()
    capped.add_full(Span(20, 0), TOTAL)
    add(capped, (Span(50, 1), 20), (Span(50, 2), 20))
    assert capped.likely_cap(50) == 20
