"""Per cent and estimated end of a batch."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from hrims.batches.progress import Total

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


@given(
    runs=st.integers(0, 50),
    skipped=st.integers(0, 5),
    waiting=st.integers(0, 50),
    active=st.integers(0, 50),
    share=st.floats(0, 1),
    minutes=st.integers(0, 10_000),
    start=st.none() | st.integers(-100, 10_000),
    is_paused=st.booleans(),
)
def test_per_cent_and_end_are_what_they_can_be(
    runs: int,
    skipped: int,
    waiting: int,
    active: int,
    share: float,
    minutes: int,
    start: int | None,
    is_paused: bool,
) -> None:
    waiting, active = min(waiting, runs), min(active, max(0, runs - waiting))
    over = runs - waiting - active
    total = Total(
        institutions=runs + skipped, skipped=skipped, joined=0, waiting=waiting, active=active, complete=over,
        incomplete=0, failed=0, cancelled=0, people=0, done=over + share * active, own_under_way=0,
        slowest_end_at=None if start is None else NOW + timedelta(minutes=2 * abs(start)),
        began_at=NOW - timedelta(minutes=minutes) if over or active else None,
        last_start_at=None if start is None else NOW + timedelta(minutes=start), now=NOW,
        is_paused=is_paused,
    )  # fmt: skip
    assert 0 <= total.percent <= 100
    assert (total.percent == 100) == total.ended
    assert total.message
    if total.done_at:
        assert not (is_paused and waiting)
        assert total.done_at >= NOW
        assert total.last_start_at is None or total.done_at >= total.last_start_at
