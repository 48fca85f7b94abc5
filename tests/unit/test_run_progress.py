"""The counts of a run as the log shows them."""

import pytest

from hrims.sync.progress import Progress


@pytest.mark.parametrize(
    ("progress", "skipped", "percent"),
    [
        (Progress(), 0, None),
        (Progress(1, 0, 0, 0, 0), 0, 0),
        (Progress(1, 30, 2, 1, 1000), 3, 3),
        (Progress(1, 1, 0, 0, 1), 0, 100),
        (Progress(9, 998, 0, 1, 1000), 1, 99),
        (Progress(9, 1100, 1, 0, 1000), 1, 100),
    ],
)
def test_a_run_tells_what_it_skipped_and_how_far_it_is(
    progress: Progress, skipped: int, percent: int | None
) -> None:
    assert (progress.skipped, progress.percent) == (skipped, percent)


def test_nothing_is_counted_before_the_first_page() -> None:
    assert Progress() == (0, 0, 0, 0, None, None, None)
