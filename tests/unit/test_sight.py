"""Whether a worker may judge the silence of others: only while its own heartbeat was written all the time."""

import pytest

from hrims.config import Settings
from hrims.jobs.rescue.watch import Sight, longest_gap

SILENT, GAP = 20.0, 10.0


def beats(sight: Sight, *moments: float) -> None:
    """The heartbeat is written at these moments."""
    for moment in moments:
        sight.note_beat(moment, GAP, SILENT)


def test_a_worker_that_starts_judges_at_once() -> None:
    sight = Sight()
    sight.begin(0.0)
    beats(sight, 0.1)
    assert sight.is_clear(0.2, GAP)


def test_a_worker_that_writes_its_heartbeat_judges() -> None:
    sight = Sight()
    for moment in (0.0, 5.0, 15.0, 20.0):
        beats(sight, moment)
        assert sight.is_clear(moment + 9.0, GAP)


def test_a_worker_that_cannot_write_judges_nobody_though_it_can_read() -> None:
    sight = Sight()
    beats(sight, 0.0)
    assert [sight.is_clear(moment, GAP) for moment in (9.0, 11.0, 60.0)] == [True, False, False]


def test_after_an_outage_all_get_the_time_for_a_heartbeat() -> None:
    sight = Sight()
    beats(sight, 0.0)
    clear = []
    for moment in (30.0, 35.0, 40.0, 45.0, 49.0, 50.0):
        beats(sight, moment)
        clear.append(sight.is_clear(moment, GAP))
    assert clear == [False, False, False, False, False, True]


def test_a_worker_that_starts_in_an_outage_gives_them_the_time_too() -> None:
    sight = Sight()
    sight.begin(0.0)
    beats(sight, 15.0, 25.0, 34.0)
    assert not sight.is_clear(34.9, GAP)
    assert sight.is_clear(35.0, GAP)


@pytest.mark.parametrize("settings", [Settings(), Settings(beat_seconds=10), Settings(beat_seconds=1)])
def test_an_ordinary_pause_between_two_heartbeats_is_no_outage(settings: Settings) -> None:
    assert 1.4 * settings.beat_seconds < longest_gap(settings) <= 0.75 * settings.silent_seconds
