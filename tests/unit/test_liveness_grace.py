"""Whether a worker may judge the silence of others: only while its own heartbeat was written all the time."""

import pytest

from hrims.config import Settings
from hrims.jobs.rescuer.task import LivenessGrace, max_heartbeat_gap

SILENT, GAP = 20.0, 10.0


def beats(grace: LivenessGrace, *moments: float) -> None:
    """Write the heartbeat at these moments."""
    for moment in moments:
        grace.record_heartbeat(moment, GAP, SILENT)


def test_a_worker_that_starts_gives_all_others_the_time_for_a_heartbeat() -> None:
    """The database may have come back just before; of that it knows nothing."""
    grace = LivenessGrace()
    assert not grace.can_judge(100.0, GAP)
    clear = []
    for moment in (100.0, 110.0, 119.0, 120.0):
        beats(grace, moment)
        clear.append(grace.can_judge(moment, GAP))
    assert clear == [False, False, False, True]


def test_a_worker_that_writes_its_heartbeat_judges() -> None:
    grace = LivenessGrace()
    beats(grace, 0.0, 10.0)
    for moment in (20.0, 25.0, 35.0):
        beats(grace, moment)
        assert grace.can_judge(moment + 9.0, GAP)


def test_a_worker_that_cannot_write_presumes_no_worker_dead() -> None:
    grace = LivenessGrace()
    beats(grace, 0.0, 10.0, 20.0)
    assert [grace.can_judge(moment, GAP) for moment in (30.0, 31.0, 80.0)] == [True, False, False]


def test_after_an_outage_all_get_the_time_for_a_heartbeat() -> None:
    grace = LivenessGrace()
    beats(grace, 0.0)
    clear = []
    for moment in (30.0, 35.0, 40.0, 45.0, 49.0, 50.0):
        beats(grace, moment)
        clear.append(grace.can_judge(moment, GAP))
    assert clear == [False, False, False, False, False, True]


@pytest.mark.parametrize("step", [300.0, -300.0])
def test_after_a_step_of_the_clock_all_get_the_time_for_a_heartbeat(step: float) -> None:
    """Forwards, it may have been the machine that slept."""
    grace = LivenessGrace()
    beats(grace, 1000.0, 1010.0, 1020.0)
    assert grace.can_judge(1025.0, GAP)
    assert not grace.can_judge(1025.0 + step, GAP)
    clear = []
    for moment in (1030.0, 1040.0, 1049.0, 1050.0):
        beats(grace, moment + step)
        clear.append(grace.can_judge(moment + step, GAP))
    assert clear == [False, False, False, True]


@pytest.mark.parametrize("settings", [Settings(), Settings(beat_seconds=10), Settings(beat_seconds=1)])
def test_an_ordinary_pause_between_two_heartbeats_is_no_outage(settings: Settings) -> None:
    assert 1.4 * settings.beat_seconds < max_heartbeat_gap(settings) <= 0.75 * settings.silent_seconds
