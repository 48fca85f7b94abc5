"""The database is read-only for a while in the middle of runs: no restart, and no run loses its worker."""

import time

import pytest

from tests.faults.house import VOTES, WITHIN, House

LOST = "SELECT max(rescues), max(failures), count(*) FILTER (WHERE trouble_code = 'worker_died') FROM runs"


@pytest.mark.parametrize("cut", [True, False], ids=["new sessions", "all sessions"])
def test_runs_go_on_after_a_read_only_spell(house: House, cut: bool) -> None:
    """The spell is longer than the silence after which a worker is presumed dead."""
    house.settings["HRIMS_SILENT_SECONDS"] = "4"
    pids = [house.start_worker().pid for _ in range(2)]
    house.until_saved(2)
    with house.server.read_only(cut=cut):
        time.sleep(6)  # the length of the spell
    took = house.seconds_to_a_page()
    house.check()
    house.until_all_live()
    assert max(took) <= WITHIN, took
    assert house.rows(LOST) == [(0, 0, 0)]
    assert [worker.pid for worker in house.working] == pids
    assert len(house.ended) >= len(VOTES)
