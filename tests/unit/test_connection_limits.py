"""Which connection is closed if there are too many, and how often that is logged."""

import logging
import socket

import pytest
from gunicorn.config import Config

from hrims.cli.gunicorn_connection import ClientSocket, Connection, SlowReaders, State, address_of
from hrims.cli.gunicorn_limits import MAX_CONNECTIONS, ConnectionLimits, DroppedClients
from hrims.config import load

LIMITS = ConnectionLimits(total=4, per_address=2, slow_readers=1, read_seconds=1, max_body=1)


def connection(address: str = "192.0.2.1", state: State = State.READS, since: float = 0) -> Connection:
    """Return a connection that has waited since a time."""
    client = ClientSocket(socket.socket(), SlowReaders(1))
    client.raw.close()
    made = Connection(Config(), client, (address, 1), ("127.0.0.1", 1), 1)
    made.state, made.since = state, since
    return made


def others(*states: State) -> list[Connection]:
    """Return a connection of another address for each state."""
    return [connection(f"198.51.100.{number}", state) for number, state in enumerate(states)]


def test_below_the_limits_nothing_is_closed() -> None:
    assert LIMITS.find_victim(connection(), [connection(), *others(State.READS, State.READS)]) is None


def test_the_longest_wait_of_the_same_address_ends() -> None:
    same = [connection(since=2), connection(since=1)]
    assert LIMITS.find_victim(connection(), [*others(State.READS), *same]) is same[1]


@pytest.mark.parametrize("state", [State.READS, State.FLUSHES])
def test_a_connection_that_the_client_should_close_goes_first(state: State) -> None:
    same = [connection(state=state, since=1), connection(state=State.LINGERS, since=2)]
    assert LIMITS.find_victim(connection(), same) is same[1]


def test_a_connection_for_which_a_thread_works_stays() -> None:
    same = [connection(state=State.WORKS, since=1), connection(state=State.FLUSHES, since=2)]
    assert LIMITS.find_victim(connection(), same) is same[1]
    new = connection()
    assert LIMITS.find_victim(new, [connection(state=State.WORKS)] * 2) is new


def test_beyond_the_total_any_address_gives_one_up() -> None:
    crowd = others(State.WORKS, State.FLUSHES, State.READS, State.WORKS)
    assert LIMITS.find_victim(connection(), crowd) is crowd[2]
    new = connection()
    assert LIMITS.find_victim(new, others(*[State.WORKS] * 4)) is new


def test_addresses_of_proxies_are_not_limited() -> None:
    limits = ConnectionLimits.of(load({"HRIMS_TRUSTED_PROXIES": "1"}))
    assert limits.find_victim(connection(), [connection()] * (limits.total - 1)) is None


def test_half_of_the_threads_that_streams_leave_may_wait_for_slow_readers() -> None:
    assert ConnectionLimits.of(load({})).slow_readers == 8
    few = {"HRIMS_WEB_THREADS": "2", "HRIMS_MAX_STREAMS": "1"}
    assert ConnectionLimits.of(load(few)).slow_readers == 1


@pytest.mark.parametrize(("files", "total"), [(50, 100), (1024, 924), (100_000, MAX_CONNECTIONS)])
def test_the_limit_of_open_files_is_kept(files: int, total: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda _: (files, files))
    assert ConnectionLimits.of(load({})).total == total


@pytest.mark.parametrize(
    ("peer", "address"),
    [
        (("192.0.2.1", 4711), "192.0.2.1"),
        (("::ffff:192.0.2.1", 4711, 0, 0), "192.0.2.1"),
        (("2001:db8:1:2:3:4:5:6", 4711, 0, 0), "2001:db8:1:2::/64"),
        (("fe80::1%eth0", 4711, 0, 2), "fe80::/64"),
        ("", ""),
    ],
)
def test_a_customer_counts_as_one_address(peer: object, address: str) -> None:
    assert address_of(peer) == address


def test_disconnected_clients_are_logged_now_and_then(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    dropped = DroppedClients()
    dropped.log_counts(100)
    for reason in ("timed_out", "stalled", "too_many", "too_many"):
        dropped.add(reason)
        dropped.log_counts(100)
    dropped.log_counts(109)
    dropped.log_counts(111)
    dropped.add("stalled")
    dropped.log_counts(112, is_last=True)
    assert caplog.messages == [
        "clients_disconnected timed_out=1 stalled=0 too_many=0",
        "clients_disconnected timed_out=0 stalled=1 too_many=2",
        "clients_disconnected timed_out=0 stalled=1 too_many=0",
    ]
