"""What counts as a change in HRIMS' answers, and what is chance."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrims.drift.rules import Change, RunCounts, find_changes, summarize


def measured(people: int = 1000, phones: int = 600, **more: Any) -> RunCounts:
    """Return counts of people and of those with a phone number; ``more`` replaces counts."""
    usual: dict[str, Any] = {
        "records": people,
        "people": people,
        "sampled": 100,
        "filled": {"phone_number": phones},
        "present": {"personalInfo": 100, "personalInfo.primaryPhone": 90, "personalInfo.city": 30},
        "unknown": {"leaveHistories": 10},
        "retyped": {},
    }
    return RunCounts(**usual | more)


def found(
    now: RunCounts, before: RunCounts | None = None, met: tuple[str, ...] = ()
) -> list[tuple[str, str]]:
    return [(change.kind, change.field) for change in find_changes(now, before or measured(), met)]


def test_it_works() -> None:
    now = measured(phones=200, unknown={"leaveHistories": 9, "personalInfo.bloodGroup": 100})
    received = find_changes(now, measured(phones=590))
    assert summarize([change.message for change in received]) == (
        "HRIMS' answers have changed: new field personalInfo.bloodGroup; "
        "Phone number empty in 80 % of records, 41 % last time."
    )
    assert received[1].now == pytest.approx(0.8)
    assert received[1].before == pytest.approx(0.41)


def test_nothing_changed() -> None:
    assert found(measured()) == []


def test_the_first_run_has_nothing_to_compare_with_but_a_wrong_type_is_one() -> None:
    assert find_changes(measured(unknown={"x": 1}), None) == []
    assert [change.kind for change in find_changes(measured(retyped={"personalInfo.city": 3}), None)] == [
        "wrong_type"
    ]


def test_a_rare_unknown_field_is_new_once() -> None:
    assert found(measured(unknown={"rare": 1})) == [("new_field", "rare")]
    assert found(measured(unknown={"rare": 1}), met=("rare",)) == []


@pytest.mark.parametrize(
    ("people", "was", "is_", "kinds"),
    [
        (1000, 600, 500, ["emptier"]),
        (1000, 600, 501, []),
        (1000, 600, 700, ["fuller"]),
        (1000, 1000, 980, ["emptier"]),
        (1000, 1000, 981, []),
        (1000, 980, 1000, []),
        (1000, 990, 970, ["emptier"]),
        (1000, 990, 971, []),
        (20, 20, 15, ["emptier"]),
        (20, 20, 16, []),
        (19, 19, 0, []),
    ],
)
def test_a_jump(people: int, was: int, is_: int, kinds: list[str]) -> None:
    received = found(measured(people, is_), measured(people, was))
    assert received == [(kind, "phone_number") for kind in kinds]


def test_a_field_is_missed_when_it_was_usual_and_the_samples_can_tell() -> None:
    gone = {"personalInfo": 100, "personalInfo.primaryPhone": 0, "personalInfo.city": 0}
    assert found(measured(present=gone)) == [("missing_field", "personalInfo.primaryPhone")]
    assert found(measured(present=gone, sampled=19)) == []
    assert found(measured(present=gone), measured(sampled=19)) == []
    assert found(measured(present={"personalInfo": 100, "personalInfo.primaryPhone": 1})) == []


def test_a_field_of_a_missing_part_is_not_reported_again() -> None:
    gone = dict.fromkeys(measured().present, 0)
    assert found(measured(present=gone)) == [("missing_field", "personalInfo")]


def test_a_column_that_the_earlier_run_did_not_count_is_no_change() -> None:
    now = measured(filled={"phone_number": 600, "union": 1000, "step": 0})
    assert found(now) == []
    assert found(measured(), now) == []


def test_a_field_that_one_of_two_versions_does_not_know_is_no_change() -> None:
    newer = measured(present=measured().present | {"personalInfo.bloodGroup": 100})
    assert found(newer) == []
    assert found(measured(unknown={"personalInfo.bloodGroup": 100}), newer) == []


@pytest.mark.parametrize(
    ("people", "was", "is_", "told_"),
    [(1000, 0, 2, False), (1000, 0, 3, True), (1000, 3, 6, False), (1000, 3, 7, True), (10, 0, 1, True)],
)
def test_a_wrong_type_in_many_records(people: int, was: int, is_: int, told_: bool) -> None:
    path = "personalInfo.city"
    received = find_changes(
        measured(people, people, retyped={path: is_}), measured(people, people, retyped={path: was})
    )
    assert [change.kind for change in received] == ["wrong_type"] * told_


def test_few_changes_are_named_and_the_rest_counted() -> None:
    assert summarize(list("abcdefg")) == "HRIMS' answers have changed: a; b; c; d; e; 2 more."


PEOPLE = st.integers(0, 5000)


@given(PEOPLE, PEOPLE, st.floats(0, 1), st.floats(0, 1))
def test_no_jump_without_enough_people(now: int, before: int, is_: float, was: float) -> None:
    received = find_changes(measured(now, int(now * is_)), measured(before, int(before * was)))
    jumps = [change for change in received if change.kind in {"emptier", "fuller"}]
    for jump in jumps:
        assert min(now, before) >= 20
        assert jump.before is not None
        assert abs(jump.now - jump.before) * min(now, before) >= 4.99
        assert abs(jump.now - jump.before) >= 0.0199


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 100)))
def test_the_same_run_twice_is_no_change(counts: dict[str, int]) -> None:
    same = measured(unknown=counts, retyped=counts, present=counts)
    assert find_changes(same, same) == []


def test_a_change_says_what_the_api_shows() -> None:
    assert set(Change._fields) == {"kind", "field", "now", "before", "message"}
