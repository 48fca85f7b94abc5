"""Every way to fail, as a client sees it on the wire."""

import json
import socket
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.simulator.requests import ids, request_body, send
from tests.support.simulated import Simulator


def test_a_failure_strikes_the_page_it_is_aimed_at_so_many_times(fresh: Simulator) -> None:
    fresh.fail(page=3, size=10, times=2)
    assert [send(fresh, page=3).json()["code"] for _ in range(3)] == [500, 500, 200]
    assert send(fresh, page=2).json()["code"] == 200
    assert fresh.counters()["failures"] == {"body500": 2}


def test_the_usual_failure_is_http_200_with_a_failing_body(fresh: Simulator) -> None:
    fresh.fail(times=1)
    answer = send(fresh)
    assert answer.status_code == 200
    assert answer.json()["status"] == "Failure"
    assert answer.json()["description"].startswith("Timeout: ")


@pytest.mark.parametrize(("kind", "code"), [("body400", 400), ("body404", 404)])
def test_other_codes_in_the_body(fresh: Simulator, kind: str, code: int) -> None:
    fresh.fail(kind, times=1)
    assert send(fresh).json()["code"] == code


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 502, 503, 504])
def test_http_statuses(fresh: Simulator, status: int) -> None:
    fresh.fail(f"http{status}", times=1, retry_after=7)
    answer = send(fresh)
    assert answer.status_code == status
    assert answer.headers["Retry-After"] == "7"


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("reset", httpx.ReadError),
        ("closed", httpx.RemoteProtocolError),
        ("cut_short", httpx.RemoteProtocolError),
    ],
)
def test_broken_connections(fresh: Simulator, kind: str, error: type[Exception]) -> None:
    fresh.fail(kind, times=1)
    with pytest.raises(error):
        send(fresh)
    assert send(fresh).json()["code"] == 200


def test_a_reset_is_a_reset(fresh: Simulator) -> None:
    fresh.fail("reset", times=1)
    with _connected(fresh) as connection, pytest.raises(ConnectionResetError):
        connection.recv(100)


def _connected(simulator: Simulator) -> socket.socket:
    """Return a connection on which a page was asked for."""
    parts = urlsplit(simulator.url)
    connection = socket.create_connection((parts.hostname, parts.port), timeout=20)
    body = json.dumps(request_body()).encode()
    head = f"POST /Employees HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    connection.sendall(head.encode() + body)
    return connection


def test_no_answer_in_time(fresh: Simulator) -> None:
    fresh.fail("timeout", times=1)
    with pytest.raises(httpx.ReadTimeout):
        send(fresh, timeout=0.2)
    fresh.wait_for(failed=1)
    assert fresh.counters()["failures"] == {"timeout": 1}


def test_no_answer_and_then_the_connection_is_closed(fresh: Simulator) -> None:
    fresh.fail("timeout", times=1, seconds=0.05)
    with pytest.raises(httpx.RemoteProtocolError):
        send(fresh)


@pytest.mark.parametrize(
    ("kind", "start"),
    [("half_json", b'{"code": 200'), ("html", b"<!DOCTYPE"), ("empty", b""), ("garbage", b"\0")],
)
def test_bodies_that_are_no_json(fresh: Simulator, kind: str, start: bytes) -> None:
    fresh.fail(kind, times=1)
    answer = send(fresh)
    assert answer.status_code == 200
    assert answer.content.startswith(start)
    with pytest.raises(ValueError):  # noqa: PT011 - what json says depends on the bytes
        answer.json()


def test_a_page_that_drips(fresh: Simulator) -> None:
    fresh.fail("slow_drip", times=1, bytes=4096, pause_ms=1)
    assert len(ids(send(fresh))) == 10
    fresh.fail("slow_drip", times=1)
    with _connected(fresh) as connection:
        assert connection.recv(10)
        fresh.wait_for(in_flight=1)


def test_a_page_that_never_ends(fresh: Simulator) -> None:
    fresh.fail("endless", times=1)
    read = 0
    with fresh.http.stream("POST", "/Employees", json=request_body()) as answer:
        for piece in answer.iter_bytes():
            read += len(piece)
            if read > 20_000_000:
                break
    fresh.wait_for(failed=1)
    assert fresh.counters()["failures"] == {"endless": 1}


def test_the_page_before_once_more(fresh: Simulator) -> None:
    fresh.fail("repeat_page", page=1, times=1)
    pages = [send(fresh, page=page) for page in (0, 1, 1)]
    assert ids(pages[0]) == ids(pages[1]) != ids(pages[2])


def test_a_short_page(fresh: Simulator) -> None:
    fresh.fail("short_page", times=1, missing=3)
    body = send(fresh).json()
    assert (len(body["data"]), body["currentDataSize"], body["overallDataSize"]) == (7, 7, 250)


def test_a_page_under_another_number(fresh: Simulator) -> None:
    fresh.fail("wrong_page_number", page=4, times=1)
    assert send(fresh, page=4).json()["currentPage"] == 5


def test_100_000_records_in_one_page(fresh: Simulator) -> None:
    fresh.fail("too_many_records", times=1, tiny=True)
    answer = send(fresh)
    assert len(answer.json()["data"]) == 100_000
    assert len(answer.content) < 8_000_000


@pytest.mark.parametrize(("kind", "data"), [("data_null", None), ("data_text", "Hakuna")])
def test_data_that_is_no_list(fresh: Simulator, kind: str, data: Any) -> None:
    fresh.fail(kind, times=1)
    assert send(fresh).json()["data"] == data


def test_an_answer_that_is_no_object(fresh: Simulator) -> None:
    fresh.fail("not_an_object", times=1)
    assert send(fresh).json() == []


def test_a_field_of_the_wrong_type(fresh: Simulator) -> None:
    path = "employmentHistories.0.entityName"
    fresh.fail("wrong_types", times=1, index=2, path=path, value={"x": 1})
    people = send(fresh).json()["data"]
    assert people[2]["employmentHistories"][0]["entityName"] == {"x": 1}
    assert send(fresh).json()["data"][2] != people[2]


def test_a_record_that_is_none(fresh: Simulator) -> None:
    fresh.fail("odd_record", times=1, index=9, value=None)
    assert send(fresh).json()["data"][9] is None


def test_a_total_that_is_wrong(fresh: Simulator) -> None:
    fresh.fail("wrong_total", times=1, total=-1)
    assert send(fresh).json()["overallDataSize"] == -1


def test_kinds_are_drawn_by_their_weights(fresh: Simulator) -> None:
    fresh.control(failure_rate=1, failure_kinds={"http500": 1, "html": 0, "body500": 1})
    for page in range(20):
        send(fresh, page=page)
    assert set(fresh.counters()["failures"]) == {"http500", "body500"}


def test_one_operation_has_a_failing_shape_too(fresh: Simulator) -> None:
    fresh.fail("half_json", operation="202", times=1)
    body = {"RequestId": "202", "RequestPayloadData": {"RequestBody": "1"}}
    with pytest.raises(json.JSONDecodeError):
        send(fresh, body=body).json()
