"""The retry policy of a run: the limits of what a user may set, and when a deadline has passed."""

import msgspec
import pytest

from hrims.jobs.attempts import retry_policy
from hrims.jobs.attempts.retry_policy import Deadline, DeadlinePassed


@pytest.mark.parametrize(
    ("name", "least", "most"),
    [("Attempts", 1, 50), ("AttemptPause", 0.0, 3600.0), ("DeadlineMinutes", 1, 30 * 24 * 60)],
)
def test_the_limits_of_a_policy(name: str, least: float, most: float) -> None:
    limited = getattr(retry_policy, name)
    assert [msgspec.convert(value, limited) for value in (least, most)] == [least, most]
    for value in (least - 1, most + 1):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(value, limited)


class Clock:
    """Time that passes only when the test says so."""

    now = 1000.0

    def monotonic(self) -> float:
        return self.now


def test_a_deadline_passes_when_its_seconds_have_passed(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    monkeypatch.setattr(retry_policy, "time", clock)
    deadline = Deadline(60)
    deadline.check()
    assert (deadline.has_left(59), deadline.has_left(60)) == (True, False)
    clock.now += 59
    deadline.check()
    clock.now += 1
    with pytest.raises(DeadlinePassed) as caught:
        deadline.check()
    assert not caught.value.is_retryable


def test_a_run_without_a_deadline_never_passes_it() -> None:
    deadline = Deadline(None)
    deadline.check()
    assert deadline.has_left(10**9)
