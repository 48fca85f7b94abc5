"""Which pages are read to ask again for the rejected."""

from hypothesis import given
from hypothesis import strategies as st

from hrims.rejects.actions import MAX_SMALL_PAGES, choose_page_size
from hrims.rejects.store import RequestedCase
from hrims.sync.rejected import outside
from hrims.sync.spans import END_OF_ANY_LIST

PLACES = st.lists(st.builds(RequestedCase, st.integers(0, 3000), st.booleans()), min_size=1, max_size=40)


def test_it_works() -> None:
    expected = [RequestedCase(31, False), RequestedCase(57, True), RequestedCase(38, False)]
    assert outside(expected, 10) == [(0, 30), (40, 57), (58, END_OF_ANY_LIST)]


@given(PLACES, st.sampled_from([1, 10, 100]))
def test_wanted_people_are_read_and_few_others(wanted: list[RequestedCase], size: int) -> None:
    skipped = outside(wanted, size)
    assert not any(start <= reject.place < stop for reject in wanted for start, stop in skipped)
    assert skipped[-1][1] == END_OF_ANY_LIST
    read = END_OF_ANY_LIST - sum(stop - start for start, stop in skipped)
    assert read <= sum(1 if reject.alone else size for reject in wanted)


def test_many_are_fetched_in_larger_pages() -> None:
    assert choose_page_size([5, 6, 7]) == 10
    assert choose_page_size(list(range(0, 10 * MAX_SMALL_PAGES, 10))) == 10
    assert choose_page_size(list(range(0, 10 * MAX_SMALL_PAGES + 1, 10))) == 100
