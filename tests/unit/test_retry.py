"""A request that failed by chance is repeated soon, one that failed under overload late."""

from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from hrims.config import Settings
from hrims.errors import RemoteCredentials, RemoteError, RemoteFailed, RemoteGarbled, RemoteTimeout
from hrims.sync import retry
from hrims.sync.context import SyncContext
from hrims.sync.retry import Retry
from hrims.sync.throttle import MIN_PAUSE

SETTINGS = replace(Settings(), page_pause=8.0, page_tries=5)


class Clock:
    """Time that passes only when a test, or a pause, says so."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float, is_stopping: Callable[[], bool]) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(retry, "time", clock)
    monkeypatch.setattr(retry, "sleep", clock.sleep)
    return clock


def begin(tries: int | None = None) -> Retry:
    nothing: Any = None
    return Retry(SyncContext(nothing, nothing, nothing, SETTINGS, lambda: False), tries)


async def fail(clock: Clock, retry: Retry, error: RemoteError, seconds: float) -> float:
    clock.now += seconds
    assert retry.may_repeat(error)
    await retry.pause(error)
    return clock.pauses[-1]


@pytest.mark.parametrize("seconds", [0.3, 0.6, 60.0])
async def test_one_failure_costs_a_tenth_of_its_own_time(clock: Clock, seconds: float) -> None:
    paused = await fail(clock, begin(), RemoteFailed("It broke."), seconds)
    assert paused <= min(max(seconds / 10, MIN_PAUSE), SETTINGS.page_pause)


async def test_a_second_failure_does_not_count_the_first_and_its_pause(clock: Clock) -> None:
    retry = begin()
    await fail(clock, retry, RemoteFailed("It broke."), 60.0)
    assert await fail(clock, retry, RemoteFailed("It broke."), 1.0) <= 2 * 1.0 / 10


async def test_failures_in_a_row_are_overload(clock: Clock) -> None:
    retry = begin()
    paused = [await fail(clock, retry, RemoteGarbled("No JSON."), 0.3) for _ in range(3)]
    assert paused[0] < 1
    assert paused[1] < 1
    assert paused[2] >= SETTINGS.page_pause / 2


@pytest.mark.parametrize(
    "error", [RemoteTimeout("Too late."), RemoteFailed("Busy.", retry_after=9.0)], ids=["timeout", "asked"]
)
async def test_overload_is_believed_at_once(clock: Clock, error: RemoteError) -> None:
    least = max(error.retry_after or 0, SETTINGS.page_pause / 2)
    assert await fail(clock, begin(), error, 0.3) >= least


def test_wrong_credentials_are_not_retried() -> None:
    assert not begin().may_repeat(RemoteCredentials("Wrong token."))


async def test_the_tries_of_a_page_end(clock: Clock) -> None:
    retry, error = begin(), RemoteFailed("It broke.")
    requests = 1
    while retry.may_repeat(error):
        await retry.pause(error)
        requests += 1
    assert requests == SETTINGS.page_tries
    assert not begin(tries=1).may_repeat(error)
