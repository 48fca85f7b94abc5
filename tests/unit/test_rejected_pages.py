"""Which pages are read to ask again for the rejected."""

from hypothesis import given
from hypothesis import strategies as st

from hrims.rejects.asking import MOST_SMALL, page_size
from hrims.rejects.store import Wanted
from hrims.sync.rejected import EVER, outside

PLACES = st.lists(st.builds(Wanted, st.integers(0, 3000), st.booleans()), min_size=1, max_size=40)


def test_it_works() -> None:
    wanted = [Wanted(31, False), Wanted(57, True), Wanted(38, False)]
    assert outside(wanted, 10) == [(0, 30), (40, 57), (58, EVER)]


@given(PLACES, st.sampled_from([1, 10, 100]))
def test_who_is_wanted_is_read_and_few_others_are(wanted: list[Wanted], size: int) -> None:
    skipped = outside(wanted, size)
    assert not any(start <= one.place < stop for one in wanted for start, stop in skipped)
    assert skipped[-1][1] == EVER
    read = EVER - sum(stop - start for start, stop in skipped)
    assert read <= sum(1 if one.alone else size for one in wanted)


def test_many_are_fetched_in_larger_pages() -> None:
    assert page_size([5, 6, 7]) == 10
    assert page_size(list(range(0, 10 * MOST_SMALL, 10))) == 10
    assert page_size(list(range(0, 10 * MOST_SMALL + 1, 10))) == 100
