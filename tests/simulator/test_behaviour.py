"""Behaviour that lasts: poison, moving records, drifting totals, credentials, being down."""

import httpx
import pytest

from tests.simulator.requests import ids, request_body, send
from tests.support.simulated import Simulator


def test_poison_fails_every_page_that_holds_it(fresh: Simulator) -> None:
    fresh.control(poison=[{"vote": "001", "index": 25}])
    codes = [send(fresh, page=page).json()["code"] for page in range(4)]
    assert codes == [200, 200, 500, 200]
    assert [send(fresh, page=page, size=1).json()["code"] for page in (24, 25, 26)] == [
        200,
        500,
        200,
    ]
    assert fresh.counters()["failures"] == {"poison": 2}


def test_poison_fails_with_its_configured_kind(fresh: Simulator) -> None:
    fresh.control(poison=[{"vote": "001", "index": 25}], poison_kind="reset")
    assert send(fresh, page=1).json()["code"] == 200
    with pytest.raises(httpx.TransportError):
        send(fresh, page=2)


def test_poison_stays_in_the_person_when_they_move(changing: Simulator) -> None:
    poisoned = changing.people(vote="002")[25]["zan_id"]
    changing.control(poison=[{"zanId": poisoned}])
    changing.move_person(vote="002", start=25, end=0)
    assert [send(changing, key="002", page=page).json()["code"] for page in (0, 2)] == [500, 200]


def test_records_move_while_they_are_asked_for(changing: Simulator) -> None:
    before = changing.people(vote="010")
    changing.control(moves={"every": 1, "count": 5})
    seen = [zan_id for page in range(14) for zan_id in ids(send(changing, key="010", page=page, size=30))]
    after = changing.people(vote="010")
    assert before != after
    assert sorted(map(str, before)) == sorted(map(str, after))
    assert len(seen) == 410
    assert len(set(seen)) < len({person["zan_id"] for person in before})


def test_totals_drift(fresh: Simulator) -> None:
    fresh.control(total_drift=2)
    totals = {send(fresh, page=page).json()["overallDataSize"] for page in range(25)}
    assert totals <= {248, 249, 250, 251, 252}
    assert len(totals) > 1


@pytest.mark.parametrize(("credentials", "status"), [("wrong", 401), ("expired", 403)])
def test_expired_credentials_are_refused(fresh: Simulator, credentials: str, status: int) -> None:
    fresh.control(credentials=credentials)
    assert send(fresh).status_code == status
    fresh.control(credentials="ok")
    assert send(fresh).json()["code"] == 200


def test_down_and_up_again(fresh: Simulator) -> None:
    with httpx.Client(trust_env=False) as client:
        client.post(f"{fresh.url}/Employees", json=request_body())
        fresh.control(down=True)
        with pytest.raises(httpx.RemoteProtocolError):
            client.post(f"{fresh.url}/Employees", json=request_body())
    assert fresh.counters()["failures"] == {"down": 1}
    fresh.control(down=False)
    assert send(fresh).json()["code"] == 200


def test_unknown_fields(fresh: Simulator) -> None:
    fresh.control(unknown_fields=True)
    assert all("fresh" in person for person in send(fresh).json()["data"])


def test_latency_is_waited_for(fresh: Simulator) -> None:
    fresh.control(latency_ms=50, jitter_ms=10)
    send(fresh)
    (request,) = fresh.counters()["log"]
    assert request["end"] - request["start"] >= 0.04
