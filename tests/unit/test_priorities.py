"""Priorities of runs: the queue takes urgent ones first and low ones last."""

from hrims.jobs.rate_limit.priorities import NORMAL, PRIORITIES, lower_priorities


def test_the_queue_takes_urgent_runs_first_and_low_ones_last() -> None:
    assert sorted(PRIORITIES, key=PRIORITIES.__getitem__, reverse=True) == ["urgent", "normal", "low"]
    # Procrastinate gives a job without a priority the number 0.
    assert PRIORITIES[NORMAL] == 0


def test_lower_priorities() -> None:
    lower = {priority: lower_priorities(priority) for priority in PRIORITIES}
    assert lower == {"urgent": ["normal", "low"], "normal": ["low"], "low": []}
