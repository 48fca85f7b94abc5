"""The database is read-only for a while in the middle of runs: no restart, and no run loses its worker."""

import time

import pytest

from tests.resilience.faults.harness import VOTES, WITHIN, FaultHarness

LOST = "SELECT max(rescues), max(failures), count(*) FILTER (WHERE trouble_code = 'worker_died') FROM runs"


@pytest.mark.parametrize(
    "cut",
    [pytest.param(True, id="new sessions", marks=pytest.mark.chaos), pytest.param(False, id="all sessions")],
)
def test_runs_go_on_after_a_read_only_spell(harness: FaultHarness, cut: bool) -> None:
    """The spell is longer than the silence after which a worker is presumed dead."""
    harness.settings["HRIMS_SILENT_SECONDS"] = "4"
    pids = [harness.start_worker().pid for _ in range(2)]
    harness.until_saved(2)
    with harness.server.read_only(cut=cut):
        time.sleep(6)  # the length of the spell
    took = harness.seconds_to_a_page()
    harness.check()
    harness.until_all_live()
    assert max(took) <= WITHIN, took
    assert harness.rows(LOST) == [(0, 0, 0)]
    assert [worker.pid for worker in harness.working] == pids
    assert len(harness.ended) >= len(VOTES)
