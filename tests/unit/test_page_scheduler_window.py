"""The window of the page scheduler: pages in flight, pauses and health checks."""

from random import Random

import pytest

from hrims.errors import (
    RemoteFailed,
    RemoteTimeout,
)
from hrims.sync.failure_policy import CHECK_REMOTE_EVERY
from hrims.sync.page_scheduler import PageRequest, PageScheduler
from tests.unit.test_page_scheduler import new_scheduler


def _take(scheduler: PageScheduler, now: float = 0.0) -> PageRequest:
    request = scheduler.next_request(now)
    assert isinstance(request, PageRequest)
    return request


def test_a_single_failure_does_not_slow_down_other_pages() -> None:
    scheduler, rng = new_scheduler(total=100_000, first_pause=2.0), Random(1)
    failed, fine = _take(scheduler), _take(scheduler)
    scheduler.add_failure(failed, RemoteFailed("it failed"), 0.3, rng)
    assert scheduler.window == 4.0
    scheduler.add_response(fine, 100_000)
    scheduler.add_saved(fine, 100)
    assert _take(scheduler, 0.4) is failed, "it is asked for again a moment later, before new pages"


def test_failures_in_a_row_close_the_window_and_lengthen_pauses() -> None:
    scheduler, rng = new_scheduler(total=100_000, first_pause=2.0), Random(1)
    requests = [_take(scheduler) for _ in range(4)]
    for request in requests[:3]:
        scheduler.add_failure(request, RemoteFailed("it failed"), 0.3, rng)
    assert scheduler.window == 2.0
    assert requests[2] is not _take(scheduler, 1.0), "the third of them waits for the whole pause"


@pytest.mark.parametrize("total", [None, 100_000])
@pytest.mark.parametrize("at_once", [1, 4, 20])
def test_failures_in_a_row_request_health_checks(total: int | None, at_once: int) -> None:
    scheduler, rng, now, doubts = new_scheduler(total=total, at_once=at_once), Random(1), 0.0, []
    for failures in range(1, 3 * CHECK_REMOTE_EVERY):
        while not isinstance(step := scheduler.next_request(now), PageRequest):
            now += step or 1.0
        scheduler.add_failure(step, RemoteFailed("it failed"), now, rng)
        if scheduler.should_check_remote:
            doubts.append(failures)
    assert doubts == [CHECK_REMOTE_EVERY, 2 * CHECK_REMOTE_EVERY]
    while not isinstance(step := scheduler.next_request(now), PageRequest):
        now += step or 1.0
    scheduler.add_response(step, 100_000)
    scheduler.add_saved(step, step.span.size)
    assert not scheduler.should_check_remote


def test_pages_being_saved_do_not_block_requests() -> None:
    scheduler = new_scheduler(total=100_000)
    requests = [_take(scheduler) for _ in range(4)]
    assert scheduler.next_request(0.0) == float("inf")
    more = []
    for request in requests:
        scheduler.add_response(request, 100_000)
        more.append(_take(scheduler))
    scheduler.add_response(more[0], 100_000)
    assert scheduler.next_request(0.0) == float("inf"), "eight unsaved pages are the limit"
    scheduler.add_saved(requests[0], 100)
    _take(scheduler)


def test_a_due_retry_waits_while_the_window_is_full() -> None:
    scheduler, rng = new_scheduler(total=100_000), Random(1)
    requests = [_take(scheduler) for _ in range(4)]
    scheduler.add_failure(requests[0], RemoteTimeout("slow"), 0.0, rng)
    scheduler.add_response(requests[1], 100_000)
    scheduler.add_saved(requests[1], 100)
    assert (round(scheduler.window, 1), scheduler.next_request(1000.0)) == (2.5, float("inf"))


def test_the_scheduler_is_exhausted_when_no_page_is_left() -> None:
    scheduler, rng = new_scheduler(total=200), Random(1)
    request = _take(scheduler)
    assert not scheduler.is_exhausted
    other = _take(scheduler)
    assert scheduler.is_exhausted
    scheduler.add_response(request, 200)
    scheduler.add_failure(other, RemoteFailed("it failed"), 0.0, rng)
    assert not scheduler.is_exhausted
