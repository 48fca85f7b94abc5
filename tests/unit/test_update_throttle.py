"""The first change of a run is due at once; then it is due ten times a second, and no change is lost."""

from hypothesis import given
from hypothesis import strategies as st

from hrims.web.core.update_throttle import MIN_INTERVAL, UpdateThrottle

RUNS = st.integers(1, 3)
PAUSES = st.floats(0.001, 1)


def test_the_first_change_is_due_at_once_and_the_next_after_the_interval() -> None:
    throttle = UpdateThrottle()
    throttle.add([1])
    assert throttle.take_due(5.0) == {1}
    throttle.add([1])
    assert throttle.take_due(5.05) == set()
    assert throttle.seconds_left(5.05) == 5.0 + MIN_INTERVAL - 5.05
    assert throttle.take_due(5.0 + MIN_INTERVAL) == {1}
    assert throttle.take_due(9.0) == set()


def test_one_run_does_not_delay_another() -> None:
    throttle = UpdateThrottle()
    throttle.add([1])
    throttle.take_due(5.0)
    throttle.add([1, 2])
    assert throttle.take_due(5.01) == {2}


def test_without_changes_nothing_is_due() -> None:
    assert UpdateThrottle().seconds_left(5.0) == float("inf")


@given(st.lists(st.tuples(RUNS, PAUSES), max_size=40))
def test_every_change_is_published_once_and_never_too_early(changes: list[tuple[int, float]]) -> None:
    throttle, now = UpdateThrottle(), 0.0
    changed: dict[int, float] = {}
    published: dict[int, float] = {}

    def publish() -> None:
        for run_id in throttle.take_due(now):
            assert run_id in changed, "nothing has changed since"
            assert now - published.get(run_id, -1.0) >= MIN_INTERVAL - 1e-9
            published[run_id] = now
            del changed[run_id]

    for run_id, pause in changes:
        throttle.add([run_id])
        changed.setdefault(run_id, now)
        publish()
        now += pause
        publish()
    now += MIN_INTERVAL
    publish()
    assert changed == {}
    assert throttle.seconds_left(now) == float("inf")
