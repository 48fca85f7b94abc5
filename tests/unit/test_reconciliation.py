"""Only counts that prove a list make a run complete; otherwise the run says why they do not."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrims.sync.reconcile import NOT_COUNTED, Reconciliation, ending_of, explain

PROVEN = Reconciliation(
    people=96, rejected=3, seen_twice=1, listed_twice=1, is_total_stable=True, total=100, gaps=()
)
counts = st.integers(0, 3)
reconciliations = st.builds(
    Reconciliation,
    people=counts,
    rejected=counts,
    seen_twice=counts,
    listed_twice=counts,
    is_total_stable=st.booleans(),
    total=st.integers(0, 9),
    gaps=st.just(()),
    is_contradicted=st.booleans(),
    is_open_ended=st.booleans(),
    has_moved=st.booleans(),
)


@pytest.mark.parametrize(("repaired", "outcome"), [(False, "complete"), (True, "complete_after_repair")])
def test_it_works(repaired: bool, outcome: str) -> None:
    ending = ending_of(PROVEN, repaired=repaired)
    assert (ending.outcome, ending.missing, ending.why) == (outcome, 0, None)
    assert (ending.people, ending.rejected, ending.listed_twice, ending.seen_twice) == (96, 3, 1, 1)


@pytest.mark.parametrize(
    ("changes", "missing", "why"),
    [
        ({"people": 95}, 1, ""),
        ({"people": 97}, -1, ""),
        ({"rejected": 2}, 1, ""),
        ({"total": 101}, 1, ""),
        (
            {"total": 101, "gaps": ((6, 7), (90, 100))},
            1,
            "HRIMS did not give record 7, records 91 to 100 of its list.",
        ),
        ({"listed_twice": 0}, 1, "HRIMS gave 1 person twice, and may have left out as many."),
        ({"seen_twice": 3}, 0, None),
        ({"is_total_stable": False}, 0, "HRIMS changed its total while it was read."),
        (
            {"has_moved": True},
            0,
            "People moved, or left and joined, while it was read, although its total did not change.",
        ),
        ({"is_contradicted": True}, 0, "HRIMS sent people, and then said that its list is empty."),
        (
            {"is_open_ended": True},
            0,
            "HRIMS did not show what follows its only page, so its list may be longer.",
        ),
    ],
    ids=str,
)
def test_each_doubt_alone_makes_a_run_incomplete(
    changes: dict[str, Any], missing: int, why: str | None
) -> None:
    ending = ending_of(replace(PROVEN, **changes), repaired=False)
    assert (ending.missing, ending.why) == (missing, why)
    assert (ending.outcome == "complete") == (why is None)


@given(reconciliations)
def test_the_counts_of_an_ending_add_up_and_only_a_proof_is_complete(counted: Reconciliation) -> None:
    ending = ending_of(counted, repaired=False)
    assert ending.total == ending.people + ending.rejected + ending.listed_twice + ending.missing
    has_doubt = counted.has_moved or counted.is_contradicted or counted.is_open_ended
    is_certain = counted.is_total_stable and not has_doubt
    assert (ending.outcome == "complete") == (is_certain and ending.missing == 0)


def test_counts_without_a_doubt_or_a_repeat_are_a_proof() -> None:
    counted = Reconciliation(people=9, rejected=1, seen_twice=0, is_total_stable=True, total=10, gaps=())
    assert counted.is_proven


def test_counts_before_the_first_step_prove_nothing() -> None:
    assert not NOT_COUNTED.is_proven


def test_a_message_names_a_few_gaps_and_says_that_there_are_others() -> None:
    gaps = tuple((start, start + 2) for start in range(1_000, 1_060, 10))
    few, many = (explain(replace(PROVEN, gaps=gaps[:count])) for count in (5, 6))
    assert few.startswith("HRIMS did not give records 1,001 to 1,002, ")
    assert few.endswith(", records 1,041 to 1,042 of its list.")
    assert many == few.replace(" of its list.", " and others of its list.")


def test_a_message_counts_the_repeats_that_prove_nothing() -> None:
    assert "gave 2 people twice" in explain(replace(PROVEN, seen_twice=3))
