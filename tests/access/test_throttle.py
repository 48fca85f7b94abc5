"""Who guesses passwords is slowed down, whatever the number of processes."""

import pytest

from hrims import db
from hrims.access import throttle
from hrims.access.throttle import MAX_PER_ADDRESS, MAX_PER_NAME, TooManyFailures
from hrims.db import Connection
from tests.access.accounts import at_once


def fail(conn: Connection, times: int, name: str = "asha", address: str | None = None) -> None:
    """Fail to sign in so many times."""
    for _ in range(times):
        throttle.claim(conn, name, address)


def later(conn: Connection, time: str) -> None:
    """Let time pass for what has failed so far."""
    conn.execute("UPDATE failed_sign_ins SET at = at - %s::interval", (time,))


def test_a_name_is_refused_after_ten_failures(conn: Connection) -> None:
    fail(conn, MAX_PER_NAME)
    with pytest.raises(TooManyFailures, match="Try again in 15 minutes") as refused:
        throttle.claim(conn, "asha", None)
    assert refused.value.status == 429
    assert 800 < refused.value.retry_after <= 900
    throttle.claim(conn, "juma", None)


def test_an_address_is_refused_after_fifty_failures_with_any_names(conn: Connection) -> None:
    for number in range(MAX_PER_ADDRESS):
        fail(conn, 1, f"name{number}", "192.0.2.7")
    with pytest.raises(TooManyFailures):
        throttle.claim(conn, "asha", "192.0.2.7")
    throttle.claim(conn, "asha", "192.0.2.8")


def test_a_network_of_ipv6_counts_as_one_address(conn: Connection) -> None:
    for number in range(MAX_PER_ADDRESS):
        fail(conn, 1, f"name{number}", f"2001:db8::{number:x}")
    with pytest.raises(TooManyFailures):
        throttle.claim(conn, "asha", "2001:db8::ffff:1")
    throttle.claim(conn, "asha", "2001:db8:0:1::1")


def test_the_refusal_ends_when_the_tenth_latest_failure_is_old(conn: Connection) -> None:
    fail(conn, 1)
    later(conn, "10 minutes")
    fail(conn, MAX_PER_NAME - 1)
    with pytest.raises(TooManyFailures, match="Try again in 5 minutes"):
        throttle.claim(conn, "asha", None)
    later(conn, "5 minutes")
    throttle.claim(conn, "asha", None)


def test_refused_tries_do_not_prolong_the_refusal(conn: Connection) -> None:
    fail(conn, MAX_PER_NAME)
    for _ in range(3):
        with pytest.raises(TooManyFailures):
            throttle.claim(conn, "asha", None)
    later(conn, "15 minutes")
    throttle.claim(conn, "asha", None)


def test_a_successful_try_does_not_count(conn: Connection) -> None:
    for _ in range(MAX_PER_NAME + 1):
        throttle.release(conn, throttle.claim(conn, "asha", "192.0.2.7"))


def test_expired_failures_are_deleted(conn: Connection) -> None:
    fail(conn, 3)
    later(conn, "15 minutes")
    fail(conn, 1, "juma")
    assert conn.execute("SELECT count(*) FROM failed_sign_ins").fetchone() == (1,)


def test_tries_at_the_same_time_do_not_slip_by(conn: Connection, pool: db.Pool) -> None:
    def attempt(_: int) -> bool:
        with pool.connection() as own_conn:
            try:
                throttle.claim(own_conn, "asha", "192.0.2.7")
            except TooManyFailures:
                return False
            return True

    assert sum(at_once(16, attempt)) == MAX_PER_NAME
    assert conn.execute("SELECT count(*) FROM failed_sign_ins").fetchone() == (MAX_PER_NAME,)
