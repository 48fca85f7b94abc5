"""“Test connection”, step by step, against real servers: what each failure says, what is never contacted."""

import asyncio
import socket
import threading
import time

import pytest

from hrims.config import load
from hrims.remote.connection.check import check_connection
from hrims.remote.connection.model import StoredConnection, resolve_connection
from tests.remote.checks import KEY, TOKEN, check, connection, failure, states
from tests.support.simulated import Simulator


async def test_it_works(running: Simulator) -> None:
    steps = await check(f"{running.url.replace('127.0.0.1', 'localhost')}")
    assert states(steps) == ["ok"] * 5, steps
    assert [step.message for step in steps[2:4]] == [
        "Not used. HRIMS is on this machine.",
        "HRIMS accepts the credentials.",
    ]
    assert "sent one of" in steps[4].message
    assert all(step.milliseconds is not None for step in steps)


async def test_no_personal_data_is_shown(running: Simulator) -> None:
    before = running.counters()["requests"]
    steps = await check(running.url)
    assert running.counters()["requests"] == before + 2
    answer = running.http.post(
        "/Employees",
        headers={"ApiKey": KEY, "Token": TOKEN},
        json={"RequestId": "201", "RequestPayloadData": {"PageNumber": 0, "PageSize": 1}},
    ).json()
    person = answer["data"][0]["personalInfo"]
    for value in (person["zanIdNumber"], person["firstName"], person["payrollNumber"]):
        assert value not in repr(steps)


# Name and TCP


async def test_a_name_that_is_not_known() -> None:
    text = failure(await check("https://hrims.invalid"), "Name")
    assert text.startswith("The name hrims.invalid is not known. Check the spelling.")


async def test_a_name_server_that_is_silent() -> None:
    async def silent(_host: str, _port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    made = connection("https://hrims.example", connect_timeout=0.2)
    text = failure(await check_connection(made, 20, silent), "Name")
    assert text.startswith("The name server gave no answer for hrims.example in 0.2 s.")


async def test_a_frozen_name_server_does_not_hold_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    answers, answered = threading.Event(), threading.Event()

    def look_up(*_: object, **__: object) -> list[object]:
        answers.wait(60)
        answered.set()
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    made = connection("https://hrims.example", connect_timeout=0.2)
    steps = await asyncio.to_thread(lambda: asyncio.run(check_connection(made, 20)))
    assert "gave no answer" in failure(steps, "Name")
    assert not answered.is_set(), "the end of the event loop waited for the name server"
    answers.set()
    assert answered.wait(60)


async def test_a_port_where_nothing_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    text = failure(await check(f"http://127.0.0.1:{port}"), "TCP connection")
    assert text.startswith(f"127.0.0.1, port {port} refuses connections: no program listens there. Check the")


async def test_a_host_that_gives_no_answer() -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for caller in waiting:
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        port = listener.getsockname()[1]
        text = failure(await check(f"http://127.0.0.1:{port}", connect_timeout=0.3), "TCP connection")
        for caller in waiting:
            caller.close()
    assert text.startswith(f"127.0.0.1, port {port} gave no answer in 0.3 s. A firewall may block")


async def test_the_second_address_of_a_host_is_tried(running: Simulator) -> None:
    port = int(running.url.rpartition(":")[2])

    async def two(_host: str, _port: int) -> list[str]:
        return ["127.0.0.2", "127.0.0.1"]

    steps = await check_connection(connection(f"http://hrims.example:{port}"), 20, two)
    assert states(steps) == ["ok"] * 5, steps
    assert steps[0].message == "hrims.example has the IP addresses 127.0.0.2 and 127.0.0.1."
    assert steps[1].message == f"127.0.0.1 accepts connections on port {port}."


# Sign-in and record


@pytest.mark.parametrize(
    ("key", "token", "advice"),
    [
        (KEY, "wrong-token", "Enter the API key and the token again"),
        ("", TOKEN, "No API key is set."),
        ("", "", "No API key and no token is set."),
    ],
)
async def test_credentials_that_hrims_refuses(running: Simulator, key: str, token: str, advice: str) -> None:
    text = failure(await check(running.url, api_key=key, token=token), "Sign-in")
    assert text.startswith(f"HRIMS does not accept the credentials. {advice}")
    assert "wrong-token" not in text


async def test_an_address_without_hrims(running: Simulator) -> None:
    text = failure(await check(f"{running.url}/wrong"), "Sign-in")
    assert "There is no HRIMS at this address" in text


async def test_one_failure_by_chance_is_no_failure(running: Simulator) -> None:
    running.reset()
    running.fail("body500", operation="202", times=1)
    steps = await check(running.url)
    assert states(steps) == ["ok"] * 5, steps
    assert steps[3].message == "HRIMS accepts the credentials. It answered the second request."


async def test_one_that_fails_every_time(running: Simulator) -> None:
    running.reset()
    running.fail("http503", operation="202")
    assert "HTTP 503" in failure(await check(running.url), "Sign-in")
    running.reset()
    running.fail("body500", operation="201")
    failure(await check(running.url), "One record")
    running.reset()


async def test_slow_answers_end_in_time(running: Simulator) -> None:
    running.reset()
    hold = running.hold(operation="202")
    began_at = time.monotonic()
    steps = await check_connection(connection(running.url), 2)
    assert "HRIMS" in failure(steps, "Sign-in")
    running.release(hold)
    hold = running.hold(operation="201")
    steps = await check_connection(connection(running.url), 2)
    running.release(hold)
    assert states(steps) == ["ok", "ok", "ok", "ok", "warning"], steps
    assert steps[4].message.startswith("HRIMS sent no record in the time of this test.")
    assert time.monotonic() - began_at < 15


# What is never contacted


@pytest.mark.parametrize(
    "address",
    [
        "http://169.254.169.254/latest",
        "http://[fe80::1]/",
        "http://[fd00:ec2::254]/",
        "http://[::ffff:169.254.169.254]/",
        "http://2852039166/",
        "http://0xa9fea9fe/",
        "http://0/",
    ],
)
async def test_refused_addresses_get_no_connection(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: object, **__: object) -> None:
        raise AssertionError("it was contacted")

    monkeypatch.setattr(asyncio, "open_connection", connect)
    text = failure(await check(address, from_page=True), "Name")
    assert "is an address that HRIMS cannot have" in text


async def test_a_name_that_leads_to_a_refused_address_gets_no_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def look_up(_host: str, _port: int) -> list[str]:
        return ["10.0.0.7", "169.254.169.254"]

    monkeypatch.setattr(asyncio, "open_connection", lambda *_, **__: pytest.fail("it was contacted"))
    made = connection("http://hrims.example", from_page=True)
    text = failure(await check_connection(made, 20, look_up), "Name")
    assert text.startswith("169.254.169.254, to which hrims.example leads, is an address that HRIMS cannot")


async def test_without_an_address_nothing_is_tested() -> None:
    steps = await check_connection(resolve_connection(load({}), StoredConnection()), 20)
    assert [step.state for step in steps] == ["failed", *["skipped"] * 5]
    assert steps[0].message.startswith("No address of HRIMS is known.")
