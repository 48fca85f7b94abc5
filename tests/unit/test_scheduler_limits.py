"""What the scheduler does not request: too much of a weak HRIMS, pages behind the end, or halves too soon."""

from random import Random

import pytest

from hrims.errors import RemoteFailed, RemoteGarbled, RemoteTimeout
from hrims.sync.failure_policy import FAULTY_PAGES
from hrims.sync.page_scheduler import PageRequest, PageScheduler
from hrims.sync.spans import Span


def new_scheduler(total: int, at_once: int = 4) -> PageScheduler:
    return PageScheduler(page_size=100, tries=5, first_pause=1.0, at_once=at_once, total=total)


def _take(scheduler: PageScheduler, now: float = 0.0) -> PageRequest:
    request = scheduler.next_request(now)
    assert isinstance(request, PageRequest)
    return request


def _fail(scheduler: PageScheduler, request: PageRequest, now: float = 0.0) -> None:
    scheduler.add_failure(request, RemoteFailed("it failed"), now, Random(1))


def test_a_remote_that_is_overloaded_gets_one_request_at_a_time() -> None:
    scheduler = new_scheduler(total=100_000)
    for request in [_take(scheduler) for _ in range(4)]:
        scheduler.add_failure(request, RemoteTimeout("slow"), 0.0, Random(1))
    _take(scheduler, 10_000.0)
    assert (scheduler.window, scheduler.next_request(10_000.0)) == (1.0, float("inf"))


def test_a_retry_that_starts_at_the_end_of_a_shorter_list_is_dropped() -> None:
    scheduler = new_scheduler(total=200)
    first, last = _take(scheduler), _take(scheduler)
    _fail(scheduler, last)
    scheduler.add_response(first, 100)
    scheduler.add_saved(first, 100)
    assert scheduler.next_request(10_000.0) is None


def test_a_fault_of_all_pages_is_found_with_few_pages() -> None:
    scheduler, now, starts = new_scheduler(total=100_000), 0.0, set[int]()

    def fail_all() -> None:
        nonlocal now
        while True:
            while not isinstance(step := scheduler.next_request(now), PageRequest):
                now += step or 1.0
            starts.add(step.span.start)
            scheduler.add_failure(step, RemoteGarbled("no JSON"), now, Random(1))

    with pytest.raises(RemoteGarbled):
        fail_all()
    assert len(starts) == FAULTY_PAGES


def test_a_page_that_times_out_is_requested_in_halves_after_a_pause() -> None:
    scheduler = new_scheduler(total=100, at_once=4)
    scheduler.add_failure(_take(scheduler, 10.0), RemoteTimeout("slow"), 10.0, Random(1))
    pause = scheduler.next_request(10.0)
    assert isinstance(pause, float)
    assert pause > 0
    assert [_take(scheduler, 1_000.0).span for _ in range(2)] == [Span(50, 0), Span(50, 1)]


@pytest.mark.parametrize(
    ("total", "responses", "is_needed"), [(200, 1, True), (300, 1, False), (100, 0, False)]
)
def test_the_last_page_needs_a_confirmation_that_hrims_responds(
    total: int, responses: int, *, is_needed: bool
) -> None:
    scheduler = new_scheduler(total=total, at_once=1)
    for _ in range(responses):
        request = _take(scheduler)
        scheduler.add_response(request, total)
        scheduler.add_saved(request, 100)
    for now in (0.0, 1_000.0):
        request = _take(scheduler, now)
        _fail(scheduler, request, now)
    assert request.is_unconfirmed
    assert scheduler.needs_confirmation(request) == is_needed
