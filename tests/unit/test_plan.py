"""The plan asks for every position once, whatever fails, in bounded time; or says that it cannot."""

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
from hrims.sync.failure_policy import DOUBTED, MOST_SPLITS
from hrims.sync.plan import Ask, Plan
from hrims.sync.throttle import GROW_AFTER

CALM = settings(deadline=None)
"""No test asserts a time that the machine could miss."""


def plan(**changes: object) -> Plan:
    """A plan for pages of 100, five tries each, four at once."""
    given_ = {"page_size": 100, "tries": 5, "first_pause": 1.0, "at_once": 4}
    return Plan(**(given_ | changes))  # type: ignore[arg-type] # what a test changes has the right type


class Source:
    """A listing of ``total`` records, of which some break every page they are on."""

    def __init__(
        self, total: int, broken: frozenset[int] = frozenset(), luck: float = 0.0, seed: int = 1
    ) -> None:
        self.total, self.broken, self.luck = total, broken, luck
        self.chance = Random(seed)
        self.got: list[int] = []
        self.lost: list[int] = []
        self.asked = 0
        self.most_at_once = 0

    def drain(self, todo: Plan) -> None:
        """Answers until the plan is done, in any order."""
        now, open_ = 0.0, list[Ask]()
        while True:
            step = todo.take(now)
            if isinstance(step, Ask):
                open_.append(step)
                self.most_at_once = max(self.most_at_once, len(open_))
            elif open_:
                self._answer(todo, open_.pop(self.chance.randrange(len(open_))), now)
            elif step is None:
                return
            else:
                now += step

    def _answer(self, todo: Plan, ask: Ask, now: float) -> None:
        self.asked += 1
        held = range(ask.span.start, min(ask.span.stop, self.total))
        if self.broken.isdisjoint(held) and self.chance.random() >= self.luck:
            self.got += held
            todo.answered(ask, len(held), self.total)
        elif todo.failed(ask, RemoteFailed("it failed"), now, self.chance):
            self.lost.append(ask.span.start)


def test_it_works() -> None:
    source = Source(640)
    source.drain(plan())
    assert sorted(source.got) == list(range(640))
    assert (source.asked, source.most_at_once) == (7, 4)


def test_nobody_listed_is_one_question() -> None:
    source = Source(0)
    source.drain(plan())
    assert (source.got, source.asked) == ([], 1)


def test_what_is_saved_is_not_asked_for() -> None:
    source = Source(640)
    source.drain(plan(saved=[(0, 200), (300, 400)], total=640))
    assert sorted(source.got) == [*range(200, 300), *range(400, 640)]


def test_a_broken_record_costs_itself_and_not_its_neighbours() -> None:
    source = Source(640, frozenset({217}))
    source.drain(plan())
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
def test_every_position_is_had_once_or_is_a_record_that_was_given_up(
    total: int, size: int, broken: frozenset[int], luck: float, seed: int, saved: list[list[int]]
) -> None:
    source = Source(total, broken, luck, seed)
    already = {position for start, stop in saved for position in range(start, stop)}
    try:
        source.drain(plan(page_size=size, saved=[(a, b) for a, b in saved], total=total))
    except RemoteFailed:
        pass  # the attempt fails, and the next goes on: nothing is had twice all the same
    else:
        assert set(source.got) | set(source.lost) | already >= set(range(total))
    assert len(source.got) == len(set(source.got))
    assert already.isdisjoint(source.got)
    assert source.most_at_once <= 4


@CALM
@given(st.integers(0, 100))
def test_a_remote_that_always_fails_costs_a_bounded_number_of_questions(seed: int) -> None:
    source = Source(6408, luck=1.1, seed=seed)
    with pytest.raises(RemoteError):
        source.drain(plan(total=6408))
    assert source.asked <= MOST_SPLITS


@pytest.mark.parametrize(
    ("error", "times"), [(RemoteCredentials("no"), 1), (RemoteUnreachable("nobody there"), 5)]
)
def test_what_splitting_cannot_help_ends_the_attempt(error: RemoteError, times: int) -> None:
    todo, now = plan(), 0.0
    for failure in range(1, times + 1):
        while not isinstance(step := todo.take(now), Ask):
            assert isinstance(step, float)
            now += step
        if failure == times:
            with pytest.raises(type(error)):
                todo.failed(step, error, now, Random(1))
        else:
            assert not todo.failed(step, error, now, Random(1))


def test_time_outs_make_pages_smaller_and_answers_let_them_grow_again() -> None:
    todo, chance = plan(total=100_000), Random(1)
    ask = todo.take(0.0)
    assert isinstance(ask, Ask)
    todo.failed(ask, RemoteTimeout("slow"), 0.0, chance)
    assert (todo.size, todo.window) == (50, 2.0)
    for _ in range(GROW_AFTER):
        ask = todo.take(0.0)
        assert isinstance(ask, Ask)
        assert ask.span.size <= 50
        todo.answered(ask, ask.span.size, 100_000)
    assert (todo.size, todo.window > 3) == (100, True)


def test_a_listing_that_grows_meanwhile_is_followed() -> None:
    source, todo = Source(140), plan()
    source.drain(todo)
    source.total = todo.total = 163
    source.drain(todo)
    assert sorted(source.got) == list(range(163))


def test_what_one_page_is_asked_to_wait_for_holds_for_all() -> None:
    todo, chance = plan(total=6400), Random(1)
    ask = todo.take(0.0)
    assert isinstance(ask, Ask)
    todo.failed(ask, RemoteFailed("busy", retry_after=30.0), 0.0, chance)
    assert todo.take(1.0) == 29.0
    assert isinstance(todo.take(30.0), Ask)


def test_pages_that_ran_out_of_time_together_shrink_the_rest_once() -> None:
    todo, chance = plan(total=6400, page_size=400), Random(1)
    asks = [todo.take(0.0) for _ in range(4)]
    for ask in asks:
        assert isinstance(ask, Ask)
        todo.failed(ask, RemoteTimeout("slow"), 0.0, chance)
    assert todo.size == 200


def test_a_total_that_counts_more_than_there_are_costs_little_and_no_attempt() -> None:
    """HRIMS counts 400 people whom it does not list: they are missing, and no reason to fail."""
    todo, now, asked, lost = plan(total=1000), 0.0, 0, 0
    while (step := todo.take(now)) is not None:
        if not isinstance(step, Ask):
            now += step
            continue
        asked += 1
        there = max(0, min(step.span.stop, 600) - step.span.start)
        if there == step.span.size:
            todo.answered(step, there, 1000)
        else:
            lost += todo.failed(step, RemoteShort("short", had=there), now, Random(asked))
    assert (asked, lost) == (6 + 4 * 5, 4)


def test_an_absurd_total_is_asked_for_whole_but_each_empty_page_once() -> None:
    """HRIMS counts 100,000 and lists 640. No page is skipped; after twenty empty ones none is tried again."""
    todo, now, asked, lost = plan(total=100_000), 0.0, list[int](), 0
    while (step := todo.take(now)) is not None:
        if not isinstance(step, Ask):
            now += step
            continue
        asked.append(step.span.start)
        there = max(0, min(step.span.stop, 640) - step.span.start)
        if there == step.span.size:
            todo.answered(step, there, 100_000)
        else:
            lost += todo.failed(step, RemoteShort("short", had=there), now, Random(len(asked)))
    assert set(asked) >= set(range(0, 100_000, 100))
    assert lost >= 990
    assert len(asked) < 1_200


def test_an_empty_page_among_full_ones_is_tried_as_often_as_ever() -> None:
    """Behind the last who was met pages may be empty because the total is wrong; between them never."""
    todo, now, tries = plan(total=5_000), 0.0, dict[int, int]()
    while (step := todo.take(now)) is not None:
        if not isinstance(step, Ask):
            now += step
            continue
        tries[step.span.start] = tries.get(step.span.start, 0) + 1
        if step.span.start in range(0, 4_900, 200):
            todo.failed(step, RemoteShort("empty", had=0), now, Random(1))
        else:
            todo.answered(step, step.span.size, 5_000)
    assert {tries[start] for start in range(0, 4_900, 200)} == {5}


def test_records_that_break_all_pages_of_a_short_listing_cost_themselves_alone() -> None:
    broken = frozenset({7, 150, 222, 333, 499})
    source = Source(500, broken)
    source.drain(plan())
    assert sorted(source.lost) == sorted(broken)
    assert len(source.got) == 495
    assert source.asked < 5 * 40


@CALM
@given(seed=st.integers(0, 300))
def test_where_three_in_ten_fail_nobody_is_called_broken_who_is_not(seed: int) -> None:
    source = Source(500, frozenset({7, 333}), luck=0.3, seed=seed)
    source.drain(plan())
    assert set(source.lost) >= {7, 333}
    assert len(source.lost) <= 3
    assert source.asked < 260


def _take(todo: Plan, now: float = 0.0) -> Ask:
    ask = todo.take(now)
    assert isinstance(ask, Ask)
    return ask


def test_a_page_that_fails_now_and_then_makes_nothing_slower() -> None:
    todo, chance = plan(total=100_000, first_pause=2.0), Random(1)
    failed, fine = _take(todo), _take(todo)
    todo.failed(failed, RemoteFailed("it failed"), 0.3, chance)
    assert todo.window == 4.0
    todo.answered(fine, 100, 100_000)
    assert _take(todo, 0.4) is failed, "it is asked for again a moment later, before new pages"


def test_failures_in_a_row_make_the_remote_be_asked_less_and_later() -> None:
    todo, chance = plan(total=100_000, first_pause=2.0), Random(1)
    asks = [_take(todo) for _ in range(4)]
    for ask in asks[:3]:
        todo.failed(ask, RemoteFailed("it failed"), 0.3, chance)
    assert todo.window == 2.0
    assert asks[2] is not _take(todo, 1.0), "the third of them waits for the whole pause"


@pytest.mark.parametrize("total", [None, 100_000])
@pytest.mark.parametrize("at_once", [1, 4, 20])
def test_after_some_failures_in_a_row_it_is_in_doubt_whether_hrims_is_there(
    total: int | None, at_once: int
) -> None:
    todo, chance, now, doubts = plan(total=total, at_once=at_once), Random(1), 0.0, []
    for failures in range(1, 3 * DOUBTED):
        while not isinstance(step := todo.take(now), Ask):
            now += step or 1.0
        todo.failed(step, RemoteFailed("it failed"), now, chance)
        if todo.doubted:
            doubts.append(failures)
    assert doubts == [DOUBTED, 2 * DOUBTED]
    while not isinstance(step := todo.take(now), Ask):
        now += step or 1.0
    todo.answered(step, step.span.size, 100_000)
    assert not todo.doubted


def test_what_is_being_saved_does_not_keep_the_remote_waiting() -> None:
    todo = plan(total=100_000)
    asks = [_take(todo) for _ in range(4)]
    assert todo.take(0.0) == float("inf")
    more = []
    for ask in asks:
        todo.received(ask, 100_000)
        more.append(_take(todo))
    todo.received(more[0], 100_000)
    assert todo.take(0.0) == float("inf"), "eight pages are open, which is all that a kill may cost"
    todo.answered(asks[0], 100, 100_000)
    _take(todo)


def test_while_all_places_are_taken_a_page_that_is_due_again_is_no_reason_to_look_again() -> None:
    todo, chance = plan(total=100_000), Random(1)
    asks = [_take(todo) for _ in range(4)]
    todo.failed(asks[0], RemoteTimeout("slow"), 0.0, chance)
    todo.answered(asks[1], 100, 100_000)
    assert (round(todo.window, 1), todo.take(1000.0)) == (2.5, float("inf"))


def test_nothing_is_left_when_every_page_was_asked_for_and_none_waits() -> None:
    todo, chance = plan(total=200), Random(1)
    one = _take(todo)
    assert not todo.nothing_left
    other = _take(todo)
    assert todo.nothing_left
    todo.received(one, 200)
    todo.failed(other, RemoteFailed("it failed"), 0.0, chance)
    assert not todo.nothing_left
