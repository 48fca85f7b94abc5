"""Between records that share a ZanID: who keeps it does not depend on the order in which pages arrive."""

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrims.employees.digest import extract_identity
from hrims.sync.repeats.decision import Record, decide
from hrims.sync.store import EDGES, FIRST, SECOND

ASHA, ALI, ASHA_MOVED, ALI_MOVED = (1 << 32) + 1, (2 << 32) + 1, (1 << 32) + 2, (2 << 32) + 2
"""Two people, and both with another workplace."""


def at(place: int, digest: int, reading: int = FIRST, *, saved_at: float = 0.0) -> Record:
    """Return a record at this place of a list that is read in pages of ten."""
    return Record(reading, 10, place // 10, place % 10, digest, saved_at)


def test_it_works() -> None:
    """Ali came later in the list, was saved last, and is rejected; Asha's row is restored."""
    decision = decide([at(3, ASHA), at(57, ALI)], [ASHA, ALI], is_new=False)
    assert decision.rejected == (at(57, ALI),)
    assert decision.state == 0


def test_the_one_that_was_there_before_keeps_the_zan_id_wherever_it_stands() -> None:
    decision = decide([at(3, ALI), at(57, ASHA)], [ASHA, ALI, ASHA], is_new=False)
    assert decision.rejected == (at(3, ALI),)
    assert decision.state == 0


def test_of_new_people_the_first_in_the_list_keeps_it() -> None:
    decision = decide([at(57, ASHA), at(3, ALI)], [ASHA, ALI], is_new=True)
    assert decision.rejected == (at(57, ASHA),)
    assert decision.state == 1


def test_a_change_of_the_owner_is_kept() -> None:
    decision = decide([at(3, ASHA_MOVED), at(57, ALI)], [ASHA, ALI, ASHA_MOVED], is_new=False)
    assert decision.rejected == (at(57, ALI),)
    assert decision.state == 2


def test_without_a_record_of_the_owner_the_first_in_the_list_keeps_the_zan_id() -> None:
    other = (3 << 32) + 1
    decision = decide([at(57, other), at(3, ALI)], [ASHA, other, ALI], is_new=False)
    assert decision.rejected == (at(57, other),)
    assert decision.state == 2


def test_a_known_reject_does_not_keep_it_though_it_comes_first() -> None:
    """The owner's name was corrected before this run."""
    corrected = (3 << 32) + 1
    decision = decide([at(3, ALI), at(57, corrected)], [ASHA, ALI, corrected], is_new=False, known=[2])
    assert decision.rejected == (at(3, ALI),)
    assert decision.state == 2


def test_a_person_listed_twice_with_a_corrected_name_is_changed() -> None:
    decision = decide([at(3, ALI), at(57, ALI)], [ASHA, ALI], is_new=False)
    assert decision.rejected == ()
    assert decision.state == 1


def test_copies_that_differ_elsewhere_write_no_history() -> None:
    decision = decide([at(3, ASHA), at(57, ASHA_MOVED)], [ASHA, ASHA_MOVED], is_new=False)
    assert decision.rejected == ()
    assert decision.state == 0


def test_a_preview_learns_which_record_has_the_state_that_is_kept() -> None:
    decision = decide([at(3, ASHA), at(57, ASHA_MOVED)], [ASHA], is_new=False)
    assert decision.kept == at(3, ASHA)
    assert decision.copies == (at(57, ASHA_MOVED),)


def test_of_copies_that_all_changed_the_one_saved_last_is_kept() -> None:
    first, last = at(3, ASHA_MOVED, saved_at=2), at(57, (1 << 32) + 3, saved_at=1)
    assert decide([first, last], [ASHA], is_new=False).kept == first
    on_one_page = [at(3, ASHA_MOVED), at(5, (1 << 32) + 3)]
    assert decide(on_one_page, [ASHA], is_new=False).kept == at(3, ASHA_MOVED)


def test_an_employee_who_moved_and_changed_between_two_readings_is_changed() -> None:
    decision = decide([at(99, ASHA), at(98, ASHA_MOVED, EDGES)], [ASHA, ASHA_MOVED], is_new=False)
    assert decision.rejected == ()
    assert decision.state == 1


@pytest.mark.parametrize("reading", [EDGES, SECOND])
@pytest.mark.parametrize("place", [50, 98, 99])
@pytest.mark.parametrize("has_reject", [True, False])
def test_a_person_that_only_a_later_pass_met_does_not_replace_the_owner(
    reading: int, place: int, *, has_reject: bool
) -> None:
    """Both moved: where the owner stands now, no reading looked again."""
    records = [at(99, ASHA), at(place, ALI, reading, saved_at=1)]
    known = [extract_identity(ALI)] if has_reject else []
    decision = decide(records, [ASHA, ALI], is_new=False, known=known)
    assert decision.rejected == (at(place, ALI, reading, saved_at=1),)
    assert (decision.state, decision.kept) == (0, at(99, ASHA))


def test_a_person_that_only_an_earlier_pass_met_does_not_replace_the_owner() -> None:
    decision = decide([at(3, ALI), at(4, ASHA_MOVED, SECOND)], [ASHA, ALI, ASHA_MOVED], is_new=False)
    assert decision.rejected == (at(3, ALI),)
    assert decision.state == 2


def test_of_new_people_the_first_that_the_first_reading_met_keeps_it() -> None:
    decision = decide([at(57, ASHA), at(3, ALI, SECOND)], [ASHA, ALI], is_new=True)
    assert decision.rejected == (at(3, ALI, SECOND),)
    assert decision.state == 0


def test_of_two_people_that_different_passes_met_the_first_keeps_the_zan_id() -> None:
    other = (3 << 32) + 1
    decision = decide([at(9, ALI), at(3, other, SECOND)], [ASHA, ALI, other], is_new=False)
    assert decision.rejected == (at(3, other, SECOND),)
    assert decision.state == 1


def test_a_rejected_person_who_is_left_alone_is_the_owner() -> None:
    """Their name was corrected between two readings of the run before this one."""
    records = [at(3, ALI), at(3, ALI_MOVED, SECOND)]
    decision = decide(records, [ASHA, ALI, ALI_MOVED], is_new=False, known=[extract_identity(ALI)])
    assert decision.rejected == ()
    assert decision.state == 2


def test_a_copy_that_stands_beside_an_edge_is_no_change() -> None:
    records = [at(3, ASHA), at(99, ASHA_MOVED), at(99, ASHA_MOVED, EDGES)]
    assert decide(records, [ASHA, ASHA_MOVED], is_new=False).state == 0


def test_a_whole_reading_replaces_what_an_earlier_one_says_of_a_person() -> None:
    records = [at(3, ASHA), at(57, ASHA_MOVED, SECOND)]
    decision = decide(records, [ASHA, ASHA_MOVED], is_new=False)
    assert decision.rejected == ()
    assert (decision.state, decision.copies) == (1, ())


def test_where_the_latest_reading_met_only_other_people_the_one_before_it_counts() -> None:
    other = (3 << 32) + 1
    records = [at(3, ASHA_MOVED), at(3, ALI, SECOND), at(57, other, SECOND)]
    decision = decide(records, [ASHA, ASHA_MOVED, ALI, other], is_new=False)
    assert decision.rejected == (at(3, ALI, SECOND), at(57, other, SECOND))
    assert decision.state == 1


def test_readings_are_in_order_of_time_and_not_of_number() -> None:
    """An attempt that resumed the run read more edges after pages of the second reading."""
    records = [at(99, ASHA, SECOND, saved_at=5), at(98, ASHA_MOVED, EDGES, saved_at=6)]
    assert decide(records, [ASHA, ASHA_MOVED], is_new=False).state == 1
    earlier = [at(99, ASHA, SECOND, saved_at=5), at(98, ASHA_MOVED, EDGES, saved_at=4)]
    assert decide(earlier, [ASHA_MOVED, ASHA], is_new=False).state == 1


def test_a_person_with_an_open_reject_does_not_become_the_owner() -> None:
    """A run that was cancelled left Ali's record in the row."""
    decision = decide([at(3, ASHA), at(57, ALI)], [ALI, ASHA], is_new=False, known=[extract_identity(ALI)])
    assert decision.rejected == (at(57, ALI),)
    assert decision.state == 1


def test_a_person_with_an_open_reject_who_is_left_alone_is_the_owner() -> None:
    decision = decide([at(57, ALI)], [ASHA, ALI], is_new=False, known=[extract_identity(ALI)])
    assert decision.rejected == ()
    assert decision.state == 1


def test_of_new_people_on_one_page_the_first_keeps_it() -> None:
    decision = decide([at(15, ALI), at(13, ASHA)], [ASHA, ALI], is_new=True)
    assert (decision.rejected, decision.state) == ((at(15, ALI),), 0)


def test_of_several_states_that_were_met_the_last_is_kept() -> None:
    third = (1 << 32) + 3
    decision = decide([at(3, ASHA_MOVED), at(57, third)], [ASHA, ASHA_MOVED, third], is_new=False)
    assert decision.state == 2


def test_if_no_state_of_the_row_was_met_it_stays() -> None:
    assert decide([at(3, ASHA)], [ALI], is_new=False).state == 0


digests = st.integers(1, 4).flatmap(lambda person: st.integers(1, 2).map(lambda row: (person << 32) + row))


@given(
    before=digests,
    records=st.lists(digests, min_size=1, max_size=5),
    seed=st.integers(0, 9),
    is_new=st.booleans(),
)
def test_the_order_of_arrival_changes_nothing(
    before: int, records: list[int], seed: int, *, is_new: bool
) -> None:
    """Whichever record is saved last: the same are rejected, and one person is left."""
    listed = [at(place * 7, digest) for place, digest in enumerate(records)]
    arrival = Random(seed).sample(listed, len(listed))
    states = (
        [record.digest for record in arrival] if is_new else [before, *(record.digest for record in arrival)]
    )
    decision = decide(arrival, states, is_new=is_new)
    in_order = [record.digest for record in listed]
    assert set(decision.rejected) == set(
        decide(listed, in_order if is_new else [before, *in_order], is_new=is_new).rejected
    )
    stored = {extract_identity(record.digest) for record in set(listed) - set(decision.rejected)}
    assert stored == {extract_identity(states[decision.state])}


@given(
    before=digests,
    met=st.lists(st.tuples(st.sampled_from([FIRST, EDGES, SECOND]), digests), min_size=1, max_size=6),
)
def test_the_owner_keeps_the_zan_id_if_any_pass_met_them(before: int, met: list[tuple[int, int]]) -> None:
    records = [
        at(place, digest, reading, saved_at=float(place)) for place, (reading, digest) in enumerate(met)
    ]
    owned = {record for record in records if extract_identity(record.digest) == extract_identity(before)}
    states = [before, *(record.digest for record in records)]
    decision = decide(records, states, is_new=False)
    if owned:
        assert set(decision.rejected) == set(records) - owned
        assert decision.kept in owned
        assert states[decision.state] in {record.digest for record in owned}
