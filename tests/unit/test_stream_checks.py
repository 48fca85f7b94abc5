"""When a stream checks the sign-in of its client again. Time is set by the test."""

import contextlib
from typing import Any

import pytest

from hrims.web.api import stream


class Moments:
    """A clock, and the moments of updates and checks of a stream."""

    def __init__(self, updates: list[float]) -> None:
        self.now = 0.0
        self.updates = updates
        self.checks: list[float] = []

    def wait(self, seconds: float) -> Any:
        """Move on to the next update, or by the seconds."""
        if self.updates and self.updates[0] <= self.now + seconds:
            self.now = max(self.now, self.updates.pop(0))
            return Update
        self.now += seconds
        return None

    def mark_sent(self, run: Any) -> None:
        """Note nothing."""

    @property
    def database(self) -> Any:
        """Return a database without runs."""
        return self

    def connection(self) -> Any:
        return contextlib.nullcontext()

    def is_still_allowed(self) -> bool:
        """Note a check. The third one ends the stream."""
        self.checks.append(self.now)
        return len(self.checks) < 3


class Update:
    """A change of a run that is active."""

    class run:  # noqa: N801 - an attribute of the real class
        id, ended, state, attempt = 1, False, "active", 1

    @staticmethod
    def event(name: str, *_structures: Any) -> str:
        return name


@pytest.mark.parametrize(
    "updates",
    [
        pytest.param([], id="quiet"),
        pytest.param([14.5], id="one update just before the check"),
        pytest.param([14.999, 29.999, 44.999], id="an update before each check"),
        pytest.param([n / 4 for n in range(400)], id="busy"),
        pytest.param([0.3], id="between two looks at the connection"),
    ],
)
def test_it_is_checked_every_15_s(monkeypatch: pytest.MonkeyPatch, updates: list[float]) -> None:
    moments = Moments([*updates])
    monkeypatch.setattr("hrims.web.api.stream.time.monotonic", lambda: moments.now)
    monkeypatch.setattr("hrims.web.api.stream.store.find_run", lambda *_: None)
    subscriber: Any = moments
    for _ in stream._stream_changes(1, subscriber, subscriber, None):
        assert moments.now <= 15 * (len(moments.checks) + 1)
    assert moments.checks == [15, 30, 45]
