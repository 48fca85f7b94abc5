"""Holding, releasing and waiting: tests see requests in flight and let them go when they like."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

from tests.simulator.requests import request_body, send
from tests.support.simulated import PLAIN, Simulator


def test_requests_wait_until_they_are_released(fresh: Simulator) -> None:
    held = fresh.hold(page=1)
    with ThreadPoolExecutor(3) as clients:
        answers = [clients.submit(send, fresh, page=page) for page in (0, 1, 1)]
        fresh.wait_for(held=2, answered=1)
        assert [answer.done() for answer in answers[1:]] == [False, False]
        fresh.release(held)
        assert [answer.result().json()["code"] for answer in answers] == [200, 200, 200]
    assert fresh.counters()["held"] == 0


def test_the_first_few_pass(fresh: Simulator) -> None:
    fresh.hold(vote="001", after=2)
    with ThreadPoolExecutor(1) as client:
        answers = [client.submit(send, fresh, page=page) for page in range(3)]
        fresh.wait_for(held=1)
        assert fresh.response_counts() == {0: 1, 1: 1}
        assert not answers[2].done()
        fresh.release()
        assert answers[2].result().json()["code"] == 200


def test_a_hold_lets_others_pass(fresh: Simulator) -> None:
    fresh.hold(vote="002")
    fresh.hold(size=11)
    assert send(fresh).json()["code"] == 200
    fresh.reset()
    assert send(fresh, key="002").json()["code"] == 200


def test_what_is_in_flight_is_counted(fresh: Simulator) -> None:
    fresh.hold()
    with ThreadPoolExecutor(4) as clients:
        answers = [clients.submit(send, fresh, page=page) for page in range(4)]
        fresh.wait_for(in_flight=4, held=4)
        fresh.release()
        for answer in answers:
            answer.result()
    send(fresh)
    counters = fresh.counters()
    assert (counters["max_in_flight"], counters["in_flight"]) == (4, 0)
    assert (counters["requests"], counters["answered"]) == (5, 5)


def test_an_answer_is_counted_before_the_client_has_it(fresh: Simulator) -> None:
    # On a connection of its own: on a shared one the server could only come to the figures later.
    with httpx.Client(base_url=fresh.url, trust_env=False, verify=PLAIN) as client:
        for page in range(1, 26):
            client.post("/Employees", json=request_body(page=page))
            assert fresh.counters()["answered"] == page
    assert fresh.counters()["max_in_flight"] == 1


def test_what_came_before_a_reset_is_not_counted_after_it(fresh: Simulator) -> None:
    fresh.hold()
    with ThreadPoolExecutor(1) as client:
        answer = client.submit(send, fresh)
        fresh.wait_for(held=1)
        fresh.reset()
        assert answer.result().json()["code"] == 200
    counters = fresh.counters()
    assert [counters[name] for name in ("requests", "answered", "failed", "in_flight")] == [0] * 4


@pytest.mark.parametrize("behaviour", [{}, {"latency_ms": 600_000}])
def test_a_client_that_leaves_is_in_flight_no_more(fresh: Simulator, behaviour: dict[str, Any]) -> None:
    fresh.control(**behaviour)
    if not behaviour:
        fresh.hold()
    with pytest.raises(httpx.ReadTimeout):
        fresh.http.post("/Employees", json=request_body(), timeout=0.2)
    fresh.wait_for(left=1)
    assert fresh.counters()["in_flight"] == 0


def test_a_hold_with_an_unknown_field_is_refused(fresh: Simulator) -> None:
    with pytest.raises(AssertionError, match="unknown in a hold: pages"):
        fresh.hold(pages=1)
    assert send(fresh).json()["code"] == 200


def test_a_wait_that_times_out_is_reported(fresh: Simulator) -> None:
    with pytest.raises(AssertionError, match="waited"):
        fresh.wait_for_requests(1, timeout=0.05)
    refused = fresh.http.get("/_control/wait", params={"nonsense": 1})
    assert refused.status_code == 400
