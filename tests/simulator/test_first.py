"""The fixture itself: a real process that answers over real HTTP."""

import httpx

from tests.simulated import Simulator, simulator

__all__ = ["simulator"]


def test_it_works(simulator: Simulator) -> None:
    payload = {"PageNumber": 0, "PageSize": 100, "RequestBody": "037"}
    ask = {"RequestId": "204", "RequestPayloadData": payload}
    body = httpx.post(f"{simulator.url}/Employees", json=ask).json()
    assert body["overallDataSize"] == 6408
    assert len(body["data"]) == 100
    assert simulator.counters()["answered"] == 1
