"""The control address: what it refuses, what it counts, and the people it changes."""

from typing import Any

import pytest

from tests.simulator.requests import ids, send
from tests.support.simulated import Simulator


def test_it_shows_behaviour_and_counters(fresh: Simulator) -> None:
    fresh.control(latency_ms=1)
    shown = fresh.http.get("/_control").json()
    assert shown["behaviour"]["latency_ms"] == 1
    assert shown["counters"]["requests"] == 0


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"latency": 5}, "unknown: latency; known: credentials"),
        ({"latency_ms": "5"}, "latency_ms is a number from 0"),
        ({"latency_ms": -5}, "latency_ms is a number from 0"),
        ({"failure_rate": 3}, "failure_rate is a share from 0 to 1"),
        ({"failure_kinds": {"explode": 1}}, "no such failure: explode"),
        ({"faults": [{"kind": "explode"}]}, "no such failure: explode"),
        ({"poison_kind": "explode"}, "no such failure: explode"),
        ({"faults": [{"pages": 3}]}, "unknown in a fault: pages"),
        ({"credentials": "none"}, "credentials is ok, wrong or expired"),
        ({"down": "yes"}, "down is true or false"),
        ({"moves": {"every": 0}}, "moves is null or {every, count}"),
        ({"poison": [{"vote": "001", "index": 250}]}, "give an index below 250"),
        ({"poison": [{"zanId": "none"}]}, "no employee has this ZanID"),
        ([], "give a JSON object"),
    ],
)
def test_an_invalid_change_is_refused_and_changes_nothing(
    fresh: Simulator, changes: Any, message: str
) -> None:
    before = fresh.http.get("/_control").json()
    refused = fresh.http.put("/_control", json=changes)
    assert refused.status_code == 400
    assert message in refused.json()["error"]
    assert fresh.http.get("/_control").json() == before


def test_an_unknown_address_tells_the_known_ones(fresh: Simulator) -> None:
    refused = fresh.http.post("/_control/nothing", json={})
    assert refused.status_code == 404
    assert "POST /_control/hold" in refused.json()["error"]


def test_reset_restores_the_initial_behaviour() -> None:
    with Simulator(sizes={"001": 10}, credentials="wrong") as started:
        started.control(credentials="ok", latency_ms=1)
        assert send(started).json()["code"] == 200
        started.reset()
        assert send(started).status_code == 401
        assert started.counters()["requests"] == 1


def test_pages_are_counted_asked_and_answered(fresh: Simulator) -> None:
    fresh.fail(page=1, times=1)
    for page in (0, 1, 1):
        send(fresh, page=page)
    assert fresh.request_counts(key="001", size=10) == {0: 1, 1: 2}
    assert fresh.response_counts(operation="204") == {0: 1, 1: 1}
    assert fresh.request_counts(key="002") == {}
    outcomes = [(request["page"], request["outcome"]) for request in fresh.counters()["log"]]
    assert outcomes == [(0, "ok"), (1, "body500"), (1, "ok")]


def test_people_come_go_and_change(changing: Simulator) -> None:
    first, second, third = (person["zan_id"] for person in changing.people(vote="002")[:3])
    changing.remove_people(second)
    (fresh,) = changing.add_people(vote="002", at=1, workplace="Dawati la Diaspora")
    fields = {"personalInfo.firstName": "Zena", "workplace": "WIZARA YA AFYA"}
    changing.change_person(first, **fields)
    people = changing.people(vote="002")
    assert [person["zan_id"] for person in people[:3]] == [first, fresh, third]
    assert people[0]["name"].startswith("Zena ")
    assert people[0]["institution"] == people[0]["current_workplace"] == "WIZARA YA AFYA"
    assert (people[1]["institution"], people[1]["current_workplace"]) == (
        None,
        "Dawati la Diaspora",
    )
    answer = send(changing, key="002")
    assert ids(answer)[:3] == [first, fresh, third]
    assert answer.json()["overallDataSize"] == 140
    by_id = {"RequestId": "202", "RequestPayloadData": {"RequestBody": second}}
    assert send(changing, body=by_id).json()["code"] == 404


def test_leaving_one_listing_is_not_leaving_the_other(changing: Simulator) -> None:
    theirs = {person["zan_id"] for person in changing.people(vote="037")}
    shared = next(person["zan_id"] for person in changing.people(vote="002") if person["zan_id"] in theirs)
    changing.remove_people(shared, vote="002")
    assert shared not in {person["zan_id"] for person in changing.people(vote="002")}
    assert shared in {person["zan_id"] for person in changing.people(vote="037")}


def test_a_person_without_employment_can_be_given_one(changing: Simulator) -> None:
    idle = next(person for person in changing.people(vote="037") if not person["current_workplace"])
    changing.change_person(idle["zan_id"], workplace="Dawati la Diaspora")
    changed = {person["zan_id"]: person for person in changing.people(vote="037")}[idle["zan_id"]]
    assert changed["current_workplace"] == "Dawati la Diaspora"


def test_an_unknown_institution_has_no_people(fresh: Simulator) -> None:
    refused = fresh.http.get("/_control/people", params={"vote": "999"})
    assert refused.status_code == 400
    assert "of the register" in refused.json()["error"]
