"""Clients that send or receive slowly hold no thread, so that others are answered at once."""

import select
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import httpx
import pytest

from tests.support.databases import clone
from tests.support.echo_app import LARGE
from tests.support.served import Served
from tests.support.slow_clients import BEGINNINGS, SlowClients, measure_health

MANY = 64
"""More than the web process has threads (32)."""

LIMIT = 1.0
"""Seconds within which a health check is answered."""

SECONDS = 4.0
"""How long each kind of slow clients goes on."""

READ_SECONDS = 2
"""The deadline of a request here: shorter than SECONDS, so that it is met."""

STYLES = "/static/vendor/pico.min.css"
"""The largest response without a sign-in."""


@pytest.fixture(scope="module")
def served(
    server_dsn: str, template_database: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    """Provide the real web process, as ``make run``, the Procfile and the deployment start it."""
    with clone(server_dsn, template_database) as dsn:
        env = {"DATABASE_URL": dsn, "HRIMS_WEB_READ_SECONDS": str(READ_SECONDS)}
        with Served(tmp_path_factory.mktemp("web"), env) as running:
            yield running
            assert "Traceback" not in running.log.read_text()


def report(worst: float, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Print the figure, and check it."""
    with capsys.disabled():
        print(f"\n{kind}: /healthz answers within {1000 * worst:.0f} ms")  # noqa: T201 - the figure
    assert worst < LIMIT


@pytest.mark.parametrize("kind", BEGINNINGS)
def test_64_clients_that_send_slowly(served: Served, kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    with SlowClients(served.port, MANY, kind):
        report(measure_health(served.port, SECONDS), f"{MANY} clients that send {kind} slowly", capsys)


def test_64_clients_that_receive_slowly(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    with SlowClients(served.port, MANY, read=STYLES):
        report(measure_health(served.port, SECONDS), f"{MANY} clients that receive slowly", capsys)


def test_all_of_them_at_once_and_a_page_too(served: Served, capsys: pytest.CaptureFixture[str]) -> None:
    with ExitStack() as stack:
        for kind in BEGINNINGS:
            stack.enter_context(SlowClients(served.port, MANY // 4, kind, source="127.0.0.2"))
        stack.enter_context(SlowClients(served.port, MANY // 4, read=STYLES, source="127.0.0.2"))
        report(measure_health(served.port, SECONDS), "all kinds together", capsys)
        began = time.monotonic()
        assert httpx.get(f"{served.url}/sign-in", trust_env=False).status_code == 200
        assert time.monotonic() - began < LIMIT


def test_a_request_must_arrive_before_its_deadline_however_often_a_byte_comes(served: Served) -> None:
    with socket.create_connection(("127.0.0.1", served.port), timeout=30) as client:
        began = time.monotonic()
        client.sendall(BEGINNINGS["headers"])
        client.settimeout(0.2)
        answer = b""
        while not answer:
            client.sendall(b"X-A: b\r\n")
            try:
                answer = client.recv(4096)
            except TimeoutError:
                assert time.monotonic() - began < READ_SECONDS + 3
        assert time.monotonic() - began >= READ_SECONDS
        assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n")
        assert b'"code": "request_timeout"' in answer


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Provide the web server of the product with an application that has large responses."""
    threads = {"HRIMS_WEB_THREADS": "8", "HRIMS_MAX_STREAMS": "2"}
    test = {"TEST_APP": "tests.support.echo_app:application", "TEST_STALL": "2"}
    with Served(tmp_path_factory.mktemp("web"), {**threads, **test}) as running:
        yield running
        assert "Traceback" not in running.log.read_text()


def test_large_responses_leave_threads_to_others(large: Served, capsys: pytest.CaptureFixture[str]) -> None:
    with SlowClients(large.port, MANY, read="/large"):
        report(measure_health(large.port, SECONDS), f"{MANY} slow clients with 8 MB each", capsys)


def test_a_client_that_keeps_up_gets_all_of_it(large: Served) -> None:
    with SlowClients(large.port, 2, read="/large"):
        for _ in range(3):
            assert len(httpx.get(f"{large.url}/large", timeout=60, trust_env=False).content) == LARGE


def test_a_client_that_receives_nothing_is_disconnected(large: Served) -> None:
    with socket.socket() as client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        client.connect(("127.0.0.1", large.port))
        client.sendall(b"GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        ended = select.poll()
        ended.register(client, 0)
        assert [event for _, event in ended.poll(30_000)] == [select.POLLERR | select.POLLHUP]


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Provide the web process with a low limit."""
    env = {"HRIMS_CONNECTIONS_PER_ADDRESS": "8"}
    with Served(tmp_path_factory.mktemp("web"), env) as running:
        yield running


def test_beyond_the_limit_of_an_address_its_longest_wait_ends(limited: Served) -> None:
    clients = [socket.create_connection(("127.0.0.1", limited.port), timeout=30) for _ in range(9)]
    assert clients[0].recv(1) == b""
    clients[8].sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
    assert clients[8].recv(100).startswith(b"HTTP/1.1 200 OK")
    for client in clients:
        client.close()


def test_an_address_with_many_does_not_keep_others_out(
    limited: Served, capsys: pytest.CaptureFixture[str]
) -> None:
    with SlowClients(limited.port, MANY, "headers", source="127.0.0.2"):
        report(measure_health(limited.port, SECONDS), f"{MANY} of an address that may have 8", capsys)
    assert "clients_disconnected" in limited.log.read_text()
