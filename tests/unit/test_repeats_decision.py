"""Between records that share a ZanID: who keeps it does not depend on the order in which pages arrive."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from hrims.employees.digest import identity_of
from hrims.sync.repeats.decision import Record, decide
from hrims.sync.store import EDGES, FIRST, SECOND

ASHA, ALI, ASHA_MOVED = (1 << 32) + 1, (2 << 32) + 1, (1 << 32) + 2
"""Two people, and one of them with another workplace."""


def at(
    place: int, digest: int, reading: int = FIRST, *, saved_at: float = 0.0, is_reread: bool = False
) -> Record:
    """A record at this place of a list that is read in pages of ten."""
    return Record(reading, 10, place // 10, place % 10, digest, saved_at, is_reread)


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


def test_two_records_neither_of_which_was_there_before_are_both_rejected() -> None:
    other = (3 << 32) + 1
    decision = decide([at(3, ALI), at(57, other)], [ASHA, ALI, other], is_new=False)
    assert {record.place for record in decision.rejected} == {3, 57}
    assert decision.state == 0


def test_one_person_whose_name_was_corrected_and_who_is_listed_twice_is_changed() -> None:
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


def test_a_record_that_changed_between_two_readings_is_no_second_person() -> None:
    decision = decide([at(3, ASHA, is_reread=True), at(3, ALI, EDGES)], [ASHA, ALI], is_new=False)
    assert decision.rejected == ()
    assert decision.state == 1


def test_an_employee_who_moved_and_changed_between_two_readings_is_changed() -> None:
    decision = decide([at(99, ASHA), at(98, ASHA_MOVED, EDGES)], [ASHA, ASHA_MOVED], is_new=False)
    assert decision.rejected == ()
    assert decision.state == 1


def test_a_name_that_was_corrected_between_two_readings_is_no_second_person() -> None:
    records = [at(99, ASHA, is_reread=True), at(98, ALI, EDGES)]
    decision = decide(records, [ASHA, ALI], is_new=False)
    assert decision.rejected == ()
    assert decision.state == 1


def test_another_person_beside_an_edge_does_not_replace_the_owner_far_from_it() -> None:
    decision = decide([at(50, ASHA), at(99, ALI, EDGES)], [ASHA, ALI], is_new=False)
    assert decision.rejected == (at(99, ALI, EDGES),)
    assert decision.state == 0


def test_an_open_reject_that_moved_to_the_place_of_the_owner_does_not_replace_them() -> None:
    """Both moved by one place, and the owner is no longer among the records that EDGES read."""
    records = [at(98, ASHA, is_reread=True), at(98, ALI, EDGES)]
    decision = decide(records, [ASHA, ALI], is_new=False, known=[identity_of(ALI)])
    assert decision.rejected == (at(98, ALI, EDGES),)
    assert decision.state == 0


def test_a_copy_that_stands_beside_an_edge_is_no_change() -> None:
    records = [at(3, ASHA), at(99, ASHA_MOVED), at(99, ASHA_MOVED, EDGES)]
    assert decide(records, [ASHA, ASHA_MOVED], is_new=False).state == 0


def test_a_whole_reading_replaces_all_records_of_an_earlier_one() -> None:
    records = [at(3, ASHA), at(57, ALI), at(99, ALI, EDGES), at(700, ALI, SECOND)]
    decision = decide(records, [ASHA, ALI], is_new=False)
    assert decision.rejected == ()
    assert decision.state == 1


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
    decision = decide([at(3, ASHA), at(57, ALI)], [ALI, ASHA], is_new=False, known=[identity_of(ALI)])
    assert decision.rejected == (at(57, ALI),)
    assert decision.state == 1


def test_a_person_with_an_open_reject_who_is_left_alone_is_the_owner() -> None:
    decision = decide([at(57, ALI)], [ASHA, ALI], is_new=False, known=[identity_of(ALI)])
    assert decision.rejected == ()
    assert decision.state == 1


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
    """Whichever record is saved last: the same are rejected, and one person is left at most."""
    listed = [at(place * 7, digest) for place, digest in enumerate(records)]
    arrival = Random(seed).sample(listed, len(listed))
    states = [record.digest for record in arrival] if is_new else [before, *(one.digest for one in arrival)]
    decision = decide(arrival, states, is_new=is_new)
    in_order = [record.digest for record in listed]
    assert set(decision.rejected) == set(
        decide(listed, in_order if is_new else [before, *in_order], is_new=is_new).rejected
    )
    kept = {identity_of(record.digest) for record in set(listed) - set(decision.rejected)}
    assert len(kept) <= 1
    if kept:
        assert identity_of(states[decision.state]) in kept
    else:
        assert decision.state == 0
