"""When leavers wait for a second person."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrims.leavers.threshold import FEW_LEAVERS, Counts, Limits, approval_reason

USUAL = Limits(people=20, share=5.0)


@pytest.mark.parametrize(
    ("leaving", "listed", "recent"),
    [
        (0, 0, 0),
        (0, 5, 30),
        (1, 2, 0),
        (3, 10, 0),  # a small office: few people are never a share
        (3, 4, 0),
        (4, 80, 0),  # exactly the share
        (20, 6408, 0),  # exactly the count
        (20, 400, 0),
        (10, 6408, 10),
    ],
)
def test_these_leave_at_once(leaving: int, listed: int, recent: int) -> None:
    assert approval_reason(Counts(leaving, listed, recent, 0), USUAL) is None


@pytest.mark.parametrize(
    ("counts", "reason"),
    [
        (Counts(1, 1, 0, 0), "No employee would be left on the list."),
        (Counts(40, 40, 0, 0), "No employee would be left on the list."),
        (Counts(21, 19273, 0, 0), "21 people would leave, which is more than 20."),
        (Counts(11, 19273, 10, 0), "21 people would leave within 7 days, which is more than 20."),
        (Counts(4, 79, 0, 0), "4 people would leave, 5.1 % of the list, which is more than 5 %."),
        (
            Counts(2, 20, 2, 0),
            "4 people would leave within 7 days, 18.2 % of the list, which is more than 5 %.",
        ),
        (Counts(1, 100, 0, 1), "HRIMS did not give 1 record whole, and they may be among these people."),
        (Counts(1, 100, 0, 2), "HRIMS did not give 2 records whole, and they may be among these people."),
    ],
)
def test_these_wait_and_say_why(counts: Counts, reason: str) -> None:
    assert approval_reason(counts, USUAL) == reason


COUNTS = st.builds(Counts, st.integers(0, 50), st.integers(50, 500), st.integers(0, 50), st.integers(0, 2))


@given(COUNTS, st.integers(1, 30))
def test_more_leavers_never_need_less_approval(counts: Counts, more: int) -> None:
    if approval_reason(counts, USUAL):
        assert approval_reason(counts._replace(leaving=counts.leaving + more), USUAL)


@given(COUNTS)
def test_a_threshold_of_zero_requires_approval_of_every_leaver(counts: Counts) -> None:
    if counts.leaving:
        assert approval_reason(counts, Limits(0, 0))
    assert approval_reason(counts._replace(leaving=0), Limits(0, 0)) is None
    assert FEW_LEAVERS == 3
