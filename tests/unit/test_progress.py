"""The progress of a run: whatever its row says, the numbers that are shown do not contradict each other."""

import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from hrims.jobs.store import COMPLETE, UNFINISHED
from hrims.runs.model import Run
from hrims.web.api.run_bodies import Progress
from tests.unit.test_refetch_messages import NOW, run

COUNT = st.integers(0, 100_000)

KINDS = ("sync", "preview", "apply", "rejected", "person")


def row(kind: str, state: str, outcome: str | None, **counts: Any) -> Run:
    """Return a run with these counts; it has ended if its state says so."""
    ended = {} if state in UNFINISHED else {"finished_at": NOW, "people": counts["saved"], "missing": 0}
    return run(
        kind=kind,
        state=state,
        outcome=outcome if state == "completed" else None,
        trouble="",
        **ended,
        **counts,
    )


ROWS = st.builds(
    row,
    st.sampled_from(KINDS),
    st.sampled_from([*sorted(UNFINISHED), "completed", "failed", "cancelled"]),
    st.sampled_from(["complete", "complete_after_repair", "incomplete"]),
    remote_total=st.none() | COUNT,
    page_size=st.integers(1, 500),
    pages=COUNT,
    fetched=COUNT,
    saved=COUNT,
    rejected=COUNT,
    repeated=COUNT,
)


@given(ROWS)
def test_numbers_of_any_row_do_not_contradict_each_other(run: Run) -> None:
    progress = Progress.of(run)
    page, estimate, percent = progress.current_page, progress.estimated_pages, progress.progress_percent
    assert 0 <= page <= run.pages or page == estimate
    assert 0 <= percent <= 100
    if estimate is None:
        return
    assert 0 <= page <= estimate
    assert estimate >= 1
    if run.outcome in COMPLETE:
        assert (page, percent) == (estimate, 100)
    if run.state != "completed":
        assert percent < 100
        assert page < estimate or run.accounted_for >= (run.remote_total or 0)
    for a, b in re.findall(r"([\d,]+) of ([\d,]+) pages", run.message):
        assert (a, b) == (f"{page:,}", f"{estimate:,}")


@given(
    total=st.integers(0, 2000),
    page_size=st.integers(1, 500),
    sizes=st.lists(st.integers(1, 500), max_size=60),
    passes=st.integers(1, 3),
)
def test_numbers_only_grow_in_pages_of_any_size_and_in_further_passes(
    total: int, page_size: int, sizes: list[int], passes: int
) -> None:
    before, pages, saved = (0, 0), 0, 0
    for reading in range(passes):
        for size in sizes:
            pages += 1
            saved = min(total, saved + size) if reading == 0 else saved
            progress = Progress.of(
                row("sync", "active", None, remote_total=total, page_size=page_size, pages=pages, saved=saved)
            )
            now = (progress.current_page, progress.progress_percent)
            assert now[0] >= before[0]
            assert now[1] >= before[1]
            assert now[0] <= (progress.estimated_pages or 0)
            before = now


def test_whole_pages_are_counted_one_by_one() -> None:
    progress = [
        Progress.of(row("sync", "active", None, remote_total=250, page_size=100, pages=pages, saved=saved))
        for pages, saved in [(0, 0), (1, 100), (2, 200), (3, 250), (6, 250)]
    ]
    assert [progress.current_page for progress in progress] == [0, 1, 2, 3, 3]


def test_an_empty_institution_is_one_page() -> None:
    progress = Progress.of(row("sync", "active", None, remote_total=0, page_size=100, pages=1, saved=0))
    assert (progress.current_page, progress.estimated_pages) == (1, 1)
