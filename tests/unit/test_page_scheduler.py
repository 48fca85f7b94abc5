"""The plan requests for every position once, whatever fails, in bounded time; or says that it cannot."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hrims.errors import (
    RemoteCredentials,
    RemoteError,
    RemoteFailed,
    RemoteShort,
    RemoteTimeout,
    RemoteUnreachable,
)
from hrims.sync.failure_policy import MAX_SPLITS
from hrims.sync.page_scheduler import PageRequest, PageScheduler
from hrims.sync.throttle import GROW_AFTER

CALM = settings(deadline=None)
"""No test asserts a time that the machine could miss."""


def new_scheduler(**changes: object) -> PageScheduler:
    """Return a scheduler for pages of 100, with five tries each, four at once."""
    given_ = {"page_size": 100, "tries": 5, "first_pause": 1.0, "at_once": 4}
    return PageScheduler(**(given_ | changes))  # type: ignore[arg-type] # what a test changes has the right type


class Source:
    """A listing of ``total`` records, of which some break every page they are on."""

    def __init__(
        self, total: int, broken: frozenset[int] = frozenset(), luck: float = 0.0, seed: int = 1
    ) -> None:
        self.total, self.broken, self.luck = total, broken, luck
        self.rng = Random(seed)
        self.got: list[int] = []
        self.lost: list[int] = []
        self.asked = 0
        self.max_at_once = 0

    def drain(self, scheduler: PageScheduler) -> None:
        """Respond until the scheduler is done, in any order."""
        now, open_ = 0.0, list[PageRequest]()
        while True:
            step = scheduler.next_request(now)
            if isinstance(step, PageRequest):
                open_.append(step)
                self.max_at_once = max(self.max_at_once, len(open_))
            elif open_:
                self._answer(scheduler, open_.pop(self.rng.randrange(len(open_))), now)
            elif step is None:
                return
            else:
                now += step

    def _answer(self, scheduler: PageScheduler, request: PageRequest, now: float) -> None:
        self.asked += 1
        held = range(request.span.start, min(request.span.stop, self.total))
        if self.broken.isdisjoint(held) and self.rng.random() >= self.luck:
            self.got += held
            scheduler.add_response(request, self.total)
            scheduler.add_saved(request, len(held))
        elif scheduler.add_failure(request, RemoteFailed("it failed"), now, self.rng):
            self.lost.append(request.span.start)


def test_it_works() -> None:
    source = Source(640)
    source.drain(new_scheduler())
    assert sorted(source.got) == list(range(640))
    assert (source.asked, source.max_at_once) == (7, 4)


def test_an_empty_list_takes_one_request() -> None:
    source = Source(0)
    source.drain(new_scheduler())
    assert (source.got, source.asked) == ([], 1)


def test_saved_pages_are_not_requested() -> None:
    source = Source(640)
    source.drain(new_scheduler(saved=[(0, 200), (300, 400)], total=640))
    assert sorted(source.got) == [*range(200, 300), *range(400, 640)]


def test_a_broken_record_costs_itself_and_not_its_neighbours() -> None:
    source = Source(640, frozenset({217}))
    source.drain(new_scheduler())
    assert sorted(source.got) == [position for position in range(640) if position != 217]
    assert source.lost == [217]
    assert source.asked < 50


@CALM
@given(
    total=st.integers(0, 700),
    size=st.integers(1, 500),
    broken=st.frozensets(st.integers(0, 699), max_size=3),
    luck=st.floats(0, 0.3),
    seed=st.integers(0, 1000),
    saved=st.lists(st.tuples(st.integers(0, 700), st.integers(0, 700)).map(sorted), max_size=3),
)
def test_every_position_is_fetched_once_or_abandoned(
    total: int, size: int, broken: frozenset[int], luck: float, seed: int, saved: list[list[int]]
) -> None:
    source = Source(total, broken, luck, seed)
    already = {position for start, stop in saved for position in range(start, stop)}
    try:
        source.drain(new_scheduler(page_size=size, saved=[(a, b) for a, b in saved], total=total))
    except RemoteFailed:
        pass  # the attempt fails, and the next one continues: no record is fetched twice all the same
    else:
        assert set(source.got) | set(source.lost) | already >= set(range(total))
    assert len(source.got) == len(set(source.got))
    assert already.isdisjoint(source.got)
    assert source.max_at_once <= 4


@CALM
@given(st.integers(0, 100))
def test_a_remote_that_always_fails_gets_a_bounded_number_of_requests(seed: int) -> None:
    source = Source(6408, luck=1.1, seed=seed)
    with pytest.raises(RemoteError):
        source.drain(new_scheduler(total=6408))
    assert source.asked <= MAX_SPLITS


@pytest.mark.parametrize(
    ("error", "times"), [(RemoteCredentials("no"), 1), (RemoteUnreachable("no connection"), 5)]
)
def test_an_error_that_splitting_cannot_help_ends_the_attempt(error: RemoteError, times: int) -> None:
    scheduler, now = new_scheduler(), 0.0
    for failure in range(1, times + 1):
        while not isinstance(step := scheduler.next_request(now), PageRequest):
            assert isinstance(step, float)
            now += step
        if failure == times:
            with pytest.raises(type(error)):
                scheduler.add_failure(step, error, now, Random(1))
        else:
            assert not scheduler.add_failure(step, error, now, Random(1))


def test_timeouts_shrink_pages_and_successes_grow_them_again() -> None:
    scheduler, rng = new_scheduler(total=100_000), Random(1)
    request = scheduler.next_request(0.0)
    assert isinstance(request, PageRequest)
    scheduler.add_failure(request, RemoteTimeout("slow"), 0.0, rng)
    assert (scheduler.size, scheduler.window) == (50, 2.0)
    for _ in range(GROW_AFTER):
        request = scheduler.next_request(0.0)
        assert isinstance(request, PageRequest)
        assert request.span.size <= 50
        scheduler.add_response(request, 100_000)
        scheduler.add_saved(request, request.span.size)
    assert (scheduler.size, scheduler.window > 3) == (100, True)


def test_a_list_that_grows_is_read_to_its_new_end() -> None:
    source, scheduler = Source(140), new_scheduler()
    source.drain(scheduler)
    source.total = scheduler.total = 163
    source.drain(scheduler)
    assert sorted(source.got) == list(range(163))


def test_retry_after_pauses_all_pages() -> None:
    scheduler, rng = new_scheduler(total=6400), Random(1)
    request = scheduler.next_request(0.0)
    assert isinstance(request, PageRequest)
    scheduler.add_failure(request, RemoteFailed("busy", retry_after=30.0), 0.0, rng)
    assert scheduler.next_request(1.0) == 29.0
    assert isinstance(scheduler.next_request(30.0), PageRequest)


def test_simultaneous_timeouts_shrink_pages_once() -> None:
    scheduler, rng = new_scheduler(total=6400, page_size=400), Random(1)
    requests = [scheduler.next_request(0.0) for _ in range(4)]
    for request in requests:
        assert isinstance(request, PageRequest)
        scheduler.add_failure(request, RemoteTimeout("slow"), 0.0, rng)
    assert scheduler.size == 200


def test_a_total_that_is_too_high_does_not_fail_the_attempt() -> None:
    """HRIMS counts 400 people that it does not list. They are missing."""
    scheduler, now, requested, lost = new_scheduler(total=1000), 0.0, 0, 0
    while (step := scheduler.next_request(now)) is not None:
        if not isinstance(step, PageRequest):
            now += step
            continue
        requested += 1
        there = max(0, min(step.span.stop, 600) - step.span.start)
        if there == step.span.size:
            scheduler.add_response(step, 1000)
            scheduler.add_saved(step, there)
        else:
            lost += scheduler.add_failure(step, RemoteShort("short", had=there), now, Random(requested))
    assert (requested, lost) == (6 + 4 * 5, 4)


def test_an_absurd_total_requests_each_empty_page_once() -> None:
    """HRIMS counts 100,000 and lists 640. No page is skipped; after twenty empty ones none is retried."""
    scheduler, now, requested, lost = new_scheduler(total=100_000), 0.0, list[int](), 0
    while (step := scheduler.next_request(now)) is not None:
        if not isinstance(step, PageRequest):
            now += step
            continue
        requested.append(step.span.start)
        there = max(0, min(step.span.stop, 640) - step.span.start)
        if there == step.span.size:
            scheduler.add_response(step, 100_000)
            scheduler.add_saved(step, there)
        else:
            lost += scheduler.add_failure(step, RemoteShort("short", had=there), now, Random(len(requested)))
    assert set(requested) >= set(range(0, 100_000, 100))
    assert lost >= 990
    assert len(requested) < 1_200


def test_an_empty_page_between_full_ones_gets_all_tries() -> None:
    """Only pages after the last found record may be empty because the total is wrong."""
    scheduler, now, tries = new_scheduler(total=5_000), 0.0, dict[int, int]()
    while (step := scheduler.next_request(now)) is not None:
        if not isinstance(step, PageRequest):
            now += step
            continue
        tries[step.span.start] = tries.get(step.span.start, 0) + 1
        if step.span.start in range(0, 4_900, 200):
            scheduler.add_failure(step, RemoteShort("empty", had=0), now, Random(1))
        else:
            scheduler.add_response(step, 5_000)
            scheduler.add_saved(step, step.span.size)
    assert {tries[start] for start in range(0, 4_900, 200)} == {5}


def test_records_that_break_all_pages_of_a_short_listing_cost_themselves_alone() -> None:
    broken = frozenset({7, 150, 222, 333, 499})
    source = Source(500, broken)
    source.drain(new_scheduler())
    assert sorted(source.lost) == sorted(broken)
    assert len(source.got) == 495
    assert source.asked < 5 * 40


@CALM
@given(seed=st.integers(0, 300))
def test_random_failures_do_not_make_good_records_broken(seed: int) -> None:
    source = Source(500, frozenset({7, 333}), luck=0.3, seed=seed)
    source.drain(new_scheduler())
    assert set(source.lost) >= {7, 333}
    assert len(source.lost) <= 3
    assert source.asked < 260
