"""What failures cost: requests, seconds and tries of a whole pass against a model of HRIMS, over many
seeds.
"""

import statistics
from collections.abc import Callable
from random import Random

import pytest

from hrims.errors import (
    RemoteError,
    RemoteFailed,
    RemoteGarbled,
    RemoteLong,
    RemoteTimeout,
    RemoteTooLarge,
    RemoteUnreachable,
)
from hrims.sync.failure_policy import FAULTS_OF_A_PAGE, FAULTY_PAGES, MAX_FAILURES_IN_A_ROW, TRIES_OF_A_RECORD
from hrims.sync.page_scheduler import PageRequest, PageScheduler
from hrims.sync.spans import Span
from tests.unit.remote_model import RemoteModel

PEOPLE, PAGE, AT_ONCE, LATENCY = 6408, 100, 4, 0.3
PAGES = -(-PEOPLE // PAGE)
REQUESTS_A_RECORD = 40
"""Requests that a broken record may cost beside the pages of the listing."""
SLOWER = 2.5
"""Seconds of a run, as a multiple of what its requests take when as many as allowed are always in flight."""
SEEDS = range(100)


def new_scheduler(**changes: object) -> PageScheduler:
    """Return a scheduler with the product's defaults."""
    params = {"page_size": PAGE, "tries": 5, "first_pause": 2.0, "at_once": AT_ONCE}
    return PageScheduler(**(params | changes))  # type: ignore[arg-type] # what a test changes has the right type


def places(seed: int, count: int) -> frozenset[int]:
    """Return positions of broken records that differ with the seed."""
    return frozenset((seed * 2713 + at * 3571) % PEOPLE for at in range(count))


@pytest.mark.parametrize("count", [1, 2, 5])
def test_broken_records_cost_few_requests_and_little_time(count: int) -> None:
    slower, requests = [], []
    for seed in SEEDS:
        model = RemoteModel(PEOPLE, places(seed, count), 0.08, LATENCY, seed)
        model.run(new_scheduler())
        assert sorted(model.abandoned) == sorted(model.broken), seed
        assert sorted(model.fetched) == [at for at in range(PEOPLE) if at not in model.broken]
        assert max(model.tries.values()) <= TRIES_OF_A_RECORD == 6
        requests.append(model.requests)
        assert model.max_in_flight <= AT_ONCE + count, "checks wait for a slot, as pages do"
        slower.append(model.now / (model.requests * LATENCY / AT_ONCE))
    # Of the pages 8 % fail by chance as well, which is no record's cost.
    assert statistics.mean(requests) <= PAGES / 0.92 + 30 * count
    assert statistics.quantiles(requests, n=20)[-1] <= PAGES + REQUESTS_A_RECORD * count
    assert max(slower) <= SLOWER
    assert statistics.median(slower) <= 2


@pytest.mark.parametrize("breakage", [RemoteTimeout, RemoteUnreachable, RemoteGarbled, RemoteTooLarge])
def test_a_record_that_breaks_in_another_way_costs_no_more(breakage: type[RemoteError]) -> None:
    requests = []
    for seed in SEEDS:
        model = RemoteModel(
            PEOPLE, places(seed, 2), 0.08, LATENCY, seed, breakage=lambda _: breakage("it broke")
        )
        model.run(new_scheduler())
        assert sorted(model.abandoned) == sorted(model.broken), seed
        assert max(model.tries.values()) <= TRIES_OF_A_RECORD
        requests.append(model.requests)
    assert statistics.mean(requests) <= PAGES + REQUESTS_A_RECORD * 2


def test_where_three_in_ten_fail_good_records_are_rarely_called_broken() -> None:
    wrong = 0
    for seed in SEEDS:
        model = RemoteModel(PEOPLE, places(seed, 2), 0.3, LATENCY, seed)
        try:
            model.run(new_scheduler())
        except RemoteFailed:
            continue  # the next attempt continues where this one stopped
        assert set(model.abandoned) >= model.broken
        wrong += len(model.abandoned) - len(model.broken)
        assert max(model.tries.values()) <= TRIES_OF_A_RECORD
    assert wrong <= 5, "about 1 in 450 verdicts"


def test_many_broken_records_do_not_end_the_attempt() -> None:
    """Records that break HRIMS fail more often in a row than HRIMS is called hopeless for."""
    broken = frozenset(range(PEOPLE - 20, PEOPLE))
    model = RemoteModel(PEOPLE, broken, 0.0, LATENCY)
    model.run(new_scheduler())
    assert sorted(model.abandoned) == sorted(broken)
    assert len(broken) * TRIES_OF_A_RECORD > MAX_FAILURES_IN_A_ROW


@pytest.mark.parametrize("down_after", [5.0, 6.0, 7.0, 8.0, 9.0])
def test_no_record_is_called_broken_while_hrims_is_down(down_after: float) -> None:
    for seed in range(50):
        model = RemoteModel(PEOPLE, places(seed, 2), 0.08, LATENCY, seed, is_up=lambda now: now < down_after)
        try:
            model.run(new_scheduler())
        except RemoteFailed:
            assert set(model.abandoned) <= model.broken, seed


GARBLED = RemoteGarbled(
    "HRIMS answered with JSON that is not its contract's: overallDataSize: a number expected."
)


@pytest.mark.parametrize("at_once", [1, 4, 10])
@pytest.mark.parametrize("latency", [0.01, 0.3, 60.0])
@pytest.mark.parametrize("total", [None, PEOPLE])
@pytest.mark.parametrize(
    "failure", [lambda _: GARBLED, lambda request: RemoteGarbled(f"not page {request.span.number}")]
)
def test_a_fault_of_every_page_ends_the_attempt_with_its_message(
    total: int | None, failure: Callable[[PageRequest], RemoteError], latency: float, at_once: int
) -> None:
    model = RemoteModel(
        PEOPLE, latency=latency, failure=failure, is_up=lambda _: False, are_checks_answered=True
    )
    with pytest.raises(RemoteGarbled, match="3 pages had this fault, and none was answered"):
        model.run(new_scheduler(total=total, at_once=at_once))
    # More are in flight before the first answer comes.
    most_pages = max(FAULTY_PAGES, at_once if total else 1)
    assert model.requests <= most_pages * FAULTS_OF_A_PAGE + 3


@pytest.mark.parametrize("total", [None, PEOPLE])
def test_answers_that_are_too_large_at_any_size_end_the_attempt(total: int | None) -> None:
    model = RemoteModel(
        PEOPLE, breakage=lambda _: RemoteTooLarge("too large"), is_page_possible=lambda _: False
    )
    model.are_checks_answered = True
    with pytest.raises(RemoteTooLarge, match="3 pages had this fault, and none was answered"):
        model.run(new_scheduler(total=total))
    assert model.requests <= AT_ONCE * 3 * 3


@pytest.mark.parametrize("total", [None, PEOPLE])
def test_answers_that_are_garbled_by_chance_are_no_fault_of_all_pages(total: int | None) -> None:
    """Three in ten answers have the same fault, the first ones too."""
    for seed in range(300):
        model = RemoteModel(PEOPLE, frozenset(), 0.3, LATENCY, seed, failure=lambda _: GARBLED)
        scheduler = new_scheduler(total=total)
        model.run(scheduler, to_first_answer=True)
        assert model.fetched, seed


@pytest.mark.parametrize("people", [1, 40, 100, 250])
def test_a_garbled_record_on_the_first_page_costs_itself_alone(people: int) -> None:
    for position in {0, people // 3, people - 1}:
        model = RemoteModel(people, frozenset({position}), breakage=lambda _: GARBLED)
        scheduler = new_scheduler()
        model.run(scheduler)
        assert (model.abandoned, scheduler.total) == ([position], people)


def test_a_page_size_that_hrims_refuses_is_not_requested_again_and_again() -> None:
    model = RemoteModel(
        PEOPLE,
        is_page_possible=lambda request: request.span.size <= 30,
        breakage=lambda _: RemoteTooLarge("HTTP 413"),
    )
    model.run(new_scheduler())
    assert sorted(model.fetched) == list(range(PEOPLE))
    assert model.requests <= PEOPLE / 25 + 10


def test_a_page_that_timed_out_is_requested_in_halves() -> None:
    scheduler, rng = new_scheduler(total=PEOPLE), Random(1)
    page = scheduler.next_request(0.0)
    assert isinstance(page, PageRequest)
    scheduler.add_failure(page, RemoteTimeout("slow"), 1.0, rng)
    halves = [
        request.span
        for request in iter(lambda: scheduler.next_request(60.0), float("inf"))
        if isinstance(request, PageRequest)
    ]
    assert halves == [Span(50, 0), Span(50, 1)]


def test_what_a_suspect_page_is_asked_to_wait_for_holds_for_all() -> None:
    scheduler, now = new_scheduler(total=PEOPLE), 0.0
    page = scheduler.next_request(now)
    assert isinstance(page, PageRequest)
    for retry_after in (None, None, 30.0):
        other = scheduler.next_request(now)
        assert isinstance(other, PageRequest)
        scheduler.add_response(other, PEOPLE)
        scheduler.add_saved(other, 100)
        scheduler.add_failure(page, RemoteFailed("busy", retry_after=retry_after), now, Random(1))
        now += 20.0
        again = scheduler.next_request(now) if retry_after is None else page
        assert again is page
    assert page.is_suspect
    assert scheduler.next_request(now) == 10.0


def test_a_first_page_that_timed_out_leads_to_no_request_behind_the_end() -> None:
    scheduler, now = new_scheduler(), 0.0
    page = scheduler.next_request(now)
    assert isinstance(page, PageRequest)
    scheduler.add_failure(page, RemoteTimeout("slow"), now, Random(1))
    first = scheduler.next_request(60.0)
    assert isinstance(first, PageRequest)
    scheduler.add_response(first, 3)
    scheduler.add_saved(first, 3)
    assert scheduler.next_request(120.0) is None


def test_a_broken_record_of_a_server_without_small_pages_costs_its_page_alone() -> None:
    """Its neighbours cannot be had: HRIMS answers each part of their page with more records than fit."""

    def breakage(request: PageRequest) -> RemoteError:
        return RemoteFailed("it broke") if request.span.size == PAGE else RemoteLong("too many", had=PAGE)

    model = RemoteModel(
        PEOPLE,
        frozenset({5_321}),
        is_page_possible=lambda request: request.span.size == PAGE,
        breakage=breakage,
    )
    model.run(new_scheduler())
    assert sorted(model.abandoned) == [*range(5_300, 5_400)]
    assert sorted(model.fetched + model.abandoned) == [*range(PEOPLE)]
    assert model.requests <= PAGES + 20
