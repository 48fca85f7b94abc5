"""The failure policy: which verdict follows the failure of a page, and when the attempt ends."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hrims.errors import (
    RemoteError,
    RemoteFailed,
    RemoteGarbled,
    RemoteLong,
    RemoteOtherPage,
    RemoteShort,
    RemoteTimeout,
    RemoteTooLarge,
    RemoteUnreachable,
)
from hrims.sync import failure_policy as policy
from hrims.sync.cursor import PageRequest
from hrims.sync.failure_policy import FailurePolicy, RemoteState, Verdict
from hrims.sync.spans import Span
from hrims.sync.throttle import MIN_PAGE_SIZE

TRIES = 5
FAILED = RemoteFailed("it failed")


def _policy(responses: int = 0) -> FailurePolicy:
    new = FailurePolicy(TRIES)
    for _ in range(responses):
        new.add_response()
    return new


def _fail(
    decider: FailurePolicy, request: PageRequest, error: RemoteError = FAILED, *, rounds: int = 0
) -> Verdict:
    decider.classify(request)
    return decider.decide(request, error, rounds=rounds, total=1000)


def _verdicts(decider: FailurePolicy, request: PageRequest, error: RemoteError = FAILED) -> list[Verdict]:
    """Return the verdicts about one page that keeps failing, while other pages succeed."""
    verdicts = [_fail(decider, request, error)]
    while verdicts[-1] is Verdict.RETRY:
        decider.add_response()
        verdicts.append(_fail(decider, request, error))
    return verdicts


@pytest.mark.parametrize(
    ("request_", "tries", "verdict"),
    [
        (PageRequest(Span(100, 3)), policy.SPLIT_AFTER, Verdict.SPLIT),
        (PageRequest(Span(20, 3), Span(100, 0)), policy.TRIES_OF_A_PART, Verdict.SPLIT),
        (PageRequest(Span(1, 3), Span(100, 0)), policy.TRIES_OF_A_RECORD, Verdict.ABANDON),
    ],
    ids=["page", "part", "record"],
)
def test_a_page_that_fails_beside_good_ones_is_split_down_to_the_record(
    request_: PageRequest, tries: int, verdict: Verdict
) -> None:
    assert _verdicts(_policy(1), request_) == [Verdict.RETRY] * (tries - 1) + [verdict]


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (RemoteTimeout("slow"), Verdict.SHRINK),
        (RemoteTooLarge("too large"), Verdict.SHRINK),
        (FAILED, Verdict.RETRY),
        (RemoteGarbled("no JSON"), Verdict.RETRY),
        (RemoteShort("short", had=3), Verdict.RETRY),
        (RemoteUnreachable("no connection"), Verdict.RETRY),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_first_failure_of_a_page(error: RemoteError, verdict: Verdict) -> None:
    assert _fail(_policy(1), PageRequest(Span(100, 3)), error) is verdict


def test_an_unreachable_remote_ends_the_attempt_unless_other_pages_succeed() -> None:
    error, request = RemoteUnreachable("no connection"), PageRequest(Span(100, 3))
    silent = _policy()
    for _ in range(TRIES - 1):
        assert _fail(silent, request, error) is Verdict.RETRY
    with pytest.raises(RemoteUnreachable):
        _fail(silent, request, error)
    assert _verdicts(_policy(1), PageRequest(Span(100, 3)), error)[-1] is Verdict.SPLIT


def test_pages_are_split_early_after_rounds_of_failures() -> None:
    request = PageRequest(Span(100, 3))
    decider = _policy()
    rounds = policy.ROUNDS_BEFORE_EARLY_SPLIT
    assert _fail(decider, request, rounds=rounds) is Verdict.RETRY
    assert _fail(decider, request, rounds=rounds) is Verdict.SPLIT


def test_an_empty_page_is_retried_and_then_abandoned_without_being_split() -> None:
    error = RemoteShort("empty", had=0)
    assert _verdicts(_policy(1), PageRequest(Span(100, 3)), error) == [
        *[Verdict.RETRY] * (TRIES - 1),
        Verdict.ABANDON,
    ]


def test_after_many_empty_pages_behind_the_last_record_each_is_requested_once() -> None:
    decider, empty = _policy(1), RemoteShort("empty", had=0)
    decider.add_saved(PageRequest(Span(100, 0)), 100)
    verdicts = [_fail(decider, PageRequest(Span(100, number)), empty) for number in range(1, 30)]
    assert verdicts[: policy.MAX_EMPTY_PAGES] == [Verdict.RETRY] * policy.MAX_EMPTY_PAGES
    assert set(verdicts[policy.MAX_EMPTY_PAGES :]) == {Verdict.ABANDON}
    decider.add_saved(PageRequest(Span(100, 40)), 100)
    assert _fail(decider, PageRequest(Span(100, 41)), empty) is Verdict.RETRY


def test_a_part_with_too_many_records_is_not_split_further() -> None:
    request = PageRequest(Span(20, 3), Span(100, 0))
    assert _verdicts(_policy(1), request, RemoteLong("long", had=50))[-1] is Verdict.ABANDON


def test_pages_with_other_numbers_are_abandoned_once_they_are_as_many_as_the_right_ones() -> None:
    decider, error = _policy(2), RemoteOtherPage("page 7")
    last = [_exhaust(decider, number, error) for number in range(3, 6)]
    assert last == [Verdict.SPLIT, Verdict.ABANDON, Verdict.ABANDON]


def _exhaust(decider: FailurePolicy, number: int, error: RemoteError) -> Verdict:
    """Return the last verdict about a page that keeps failing, while no other page succeeds."""
    request = PageRequest(Span(100, number))
    while (verdict := _fail(decider, request, error)) is Verdict.RETRY:
        pass
    return verdict


@given(st.sampled_from([RemoteGarbled("not page 7"), RemoteGarbled("no JSON")]))
def test_a_fault_of_three_pages_ends_an_attempt_without_any_response(error: RemoteError) -> None:
    decider = _policy()
    pages = [PageRequest(Span(100, number)) for number in range(policy.FAULTY_PAGES)]
    failures = [page for _ in range(policy.FAULTS_OF_A_PAGE) for page in pages]
    for page in failures[:-1]:
        assert _fail(decider, page, error) is Verdict.RETRY
    assert decider.has_fault
    with pytest.raises(RemoteGarbled, match=f"{policy.FAULTY_PAGES} pages had this fault"):
        _fail(decider, failures[-1], error)


def test_the_next_pages_may_be_requested_when_the_first_one_has_a_fault() -> None:
    decider, request = _policy(), PageRequest(Span(100, 0))
    assert decider.probes == 1
    _fail(decider, request, RemoteGarbled("no JSON"))
    assert decider.probes == 2
    for _ in range(policy.FAULTY_PAGES):
        _fail(decider, request, FAILED)
    assert decider.probes == policy.FAULTY_PAGES
    decider.add_response()
    assert not decider.has_fault


@given(st.integers(0, 100), st.integers(0, 3))
def test_the_state_of_the_remote(failures: int, responses: int) -> None:
    state = _policy(responses).state(failures)
    assert (state is RemoteState.FAILING) == (failures >= policy.MAX_FAILURES_IN_A_ROW)
    if state is not RemoteState.FAILING:
        assert (state is RemoteState.SILENT) == (responses == 0)


@pytest.mark.parametrize("total", [None, 1000])
def test_a_single_record_is_abandoned_only_if_the_total_shows_what_is_missing(total: int | None) -> None:
    decider, request = _policy(1), PageRequest(Span(1, 3))
    if total is None:
        with pytest.raises(RemoteFailed):
            decider.decide_split(request, FAILED, total)
    else:
        assert decider.decide_split(request, FAILED, total) is Verdict.ABANDON


def test_splits_of_an_attempt_are_bounded() -> None:
    decider = _policy(1)
    for number in range(policy.MAX_SPLITS):
        assert decider.decide_split(PageRequest(Span(10, number)), FAILED, 1000) is Verdict.SPLIT
    last = PageRequest(Span(10, policy.MAX_SPLITS))
    assert decider.decide_split(last, RemoteGarbled("no JSON"), 1000) is Verdict.ABANDON
    with pytest.raises(RemoteFailed):
        decider.decide_split(last, FAILED, 1000)


def test_a_page_far_behind_others_is_not_behind_the_end() -> None:
    decider, empty = _policy(1), RemoteShort("empty", had=0)
    decider.add_saved(PageRequest(Span(100, 5)), 100)
    verdicts = {_fail(decider, PageRequest(Span(100, 4)), empty) for _ in range(2 * policy.MAX_EMPTY_PAGES)}
    assert verdicts == {Verdict.RETRY}


@pytest.mark.parametrize(("tries", "expected"), [(2, policy.TRIES_OF_A_FAULT), (9, 9)])
def test_a_fault_before_the_first_success_leaves_other_pages_their_tries(tries: int, expected: int) -> None:
    decider, request = FailurePolicy(tries), PageRequest(Span(100, 0))
    verdicts = [_fail(decider, request, RemoteGarbled("no JSON")) for _ in range(expected)]
    assert verdicts == [Verdict.RETRY] * (expected - 1) + [Verdict.SPLIT]


@pytest.mark.parametrize(
    ("right", "misnumbered", "verdict"),
    [(0, 2, Verdict.ABANDON), (3, 2, Verdict.SPLIT), (3, 3, Verdict.ABANDON)],
)
def test_pages_are_numbered_differently_if_as_many_are_wrong_as_right(
    right: int, misnumbered: int, verdict: Verdict
) -> None:
    decider, error = _policy(right or 1), RemoteOtherPage("other page")
    decider._pages = right
    last = [_verdicts_of(decider, PageRequest(Span(100, number)), error) for number in range(misnumbered)]
    assert last[-1] is verdict


def _verdicts_of(decider: FailurePolicy, request: PageRequest, error: RemoteError) -> Verdict:
    """Return the last verdict about a page that keeps failing, while HRIMS returns pages that it has sent."""
    while (verdict := _fail(decider, request, error)) is Verdict.RETRY:
        decider.add_response(is_page=False)
    return verdict


@pytest.mark.parametrize(("size", "is_lasting"), [(MIN_PAGE_SIZE, True), (MIN_PAGE_SIZE + 1, False)])
def test_a_page_that_is_too_large_lacks_a_cure_only_if_it_is_small(size: int, is_lasting: bool) -> None:
    error = RemoteTooLarge("too large")
    assert policy.is_permanent(PageRequest(Span(size, 0)), error) == is_lasting
