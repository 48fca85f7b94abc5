"""Sign-ins are slowed down by failures, whatever the number of processes, and strangers keep no user out."""

import psycopg
import pytest

from hrims import db
from hrims.access import devices, keys, throttle, users
from hrims.access.throttle import DEVICE, NAME, ORIGIN, PAIR, Attempt, TooManyFailures
from hrims.access.throttle.delays import Rule
from hrims.audit import refusals
from hrims.db import Connection
from hrims.errors import NotFound
from tests.access.accounts import PASSWORD, ROOT, SETTINGS, at_once, records

HERE, ELSEWHERE = "192.0.2.7", "203.0.113.9"


@pytest.fixture
def asha(conn: Connection) -> int:
    """Return the id of the officer asha."""
    return users.add_user(conn, ROOT, "asha", "officer", PASSWORD)


def fail(
    conn: Connection, times: int, name: str = "asha", address: str | None = HERE, device: str | None = None
) -> None:
    """Let so many sign-ins fail, as fast as they are allowed: the delays are over each time."""
    for _ in range(times):
        conn.execute("UPDATE failed_sign_ins SET at = clock_timestamp() - interval '16 minutes'")
        throttle.begin(conn, SETTINGS, name, address, device)


def later(conn: Connection, time: str) -> None:
    """Let time pass for what has failed so far."""
    conn.execute("UPDATE failed_sign_ins SET at = at - %s::interval", (time,))


def delay(conn: Connection, name: str = "asha", address: str | None = HERE, device: str | None = None) -> int:
    """Return the seconds for which a sign-in is refused; 0 if it is not."""
    try:
        throttle.release(conn, throttle.begin(conn, SETTINGS, name, address, device))
    except TooManyFailures as refused:
        return refused.retry_after
    return 0


@pytest.mark.parametrize(
    ("failures", "seconds"),
    [(0, 0), (4, 0), (5, 2), (6, 4), (10, 64), (13, 512), (14, 900), (10_000, 900)],
)
def test_the_delay_doubles_up_to_its_limit(failures: int, seconds: float) -> None:
    rule = Rule(free=5, first=2.0, limit=900.0)
    assert rule.delay_after(failures) == seconds
    assert rule.seconds_left(failures, 1.5) == max(0, seconds - 1.5)


def test_an_account_is_delayed_at_the_address_of_the_failures_only(conn: Connection) -> None:
    fail(conn, PAIR.free + 5)
    assert 60 <= delay(conn) <= PAIR.delay_after(PAIR.free + 5) == 64
    assert delay(conn, "juma") == delay(conn, address=ELSEWHERE) == 0
    later(conn, "65 seconds")
    assert delay(conn) == 0


def test_the_message_and_the_status_tell_how_long_to_wait(conn: Connection) -> None:
    fail(conn, PAIR.free + 6)
    with pytest.raises(TooManyFailures, match=r"Try again in 3 minutes\. Until then no") as refused:
        throttle.begin(conn, SETTINGS, "asha", HERE)
    assert refused.value.status == 429
    assert 120 < refused.value.retry_after <= 128
    later(conn, "126.5 seconds")
    with pytest.raises(TooManyFailures, match=r"Try again in (a second|2 seconds)\."):
        throttle.begin(conn, SETTINGS, "asha", HERE)


def test_an_address_is_delayed_after_failures_with_any_names(conn: Connection) -> None:
    for number in range(ORIGIN.free):
        throttle.begin(conn, SETTINGS, f"name{number}", HERE)
    assert 0 < delay(conn) <= ORIGIN.first
    assert delay(conn, address=ELSEWHERE) == 0


def test_a_network_of_ipv6_counts_as_one_address(conn: Connection) -> None:
    for number in range(ORIGIN.free):
        throttle.begin(conn, SETTINGS, f"name{number}", f"2001:db8::{number:x}")
    assert delay(conn, address="2001:db8::ffff:1") > 0
    assert delay(conn, address="2001:db8:0:1::1") == 0


def test_failures_at_many_addresses_delay_an_account_for_a_minute_at_most(conn: Connection) -> None:
    for number in range(NAME.free):
        throttle.begin(conn, SETTINGS, "asha", f"198.51.100.{number}")
    assert 0 < delay(conn) <= NAME.first
    conn.execute(
        "INSERT INTO failed_sign_ins (name_hash, address) SELECT name_hash, '198.51.100.99' FROM"
        " failed_sign_ins, generate_series(1, 20)"
    )
    assert 50 < delay(conn) <= NAME.limit == 60


def test_no_failures_of_strangers_delay_a_known_device(conn: Connection, asha: int) -> None:
    cookie = devices.remember(conn, SETTINGS, asha, None)
    fail(conn, PAIR.free + 8)
    for number in range(NAME.free + 8):
        conn.execute(
            "INSERT INTO failed_sign_ins (name_hash, address) SELECT name_hash, %s::inet FROM failed_sign_ins"
            " LIMIT 1",
            (f"198.51.100.{number}",),
        )
    assert delay(conn) > 60
    assert delay(conn, device=cookie) == 0
    assert delay(conn, address=ELSEWHERE, device=cookie) == 0


def test_a_known_device_has_a_delay_of_its_own_and_delays_nothing_else(conn: Connection, asha: int) -> None:
    cookie = devices.remember(conn, SETTINGS, asha, None)
    fail(conn, DEVICE.free + 3, device=cookie)
    assert 10 < delay(conn, device=cookie) <= 16
    conn.execute(
        "INSERT INTO failed_sign_ins (name_hash, address, device_id) SELECT name_hash, address, device_id"
        " FROM failed_sign_ins, generate_series(1, %s)",
        (NAME.free,),
    )
    assert delay(conn) == delay(conn, "juma") == 0


def test_a_device_is_known_for_its_own_user_only(conn: Connection, asha: int) -> None:
    users.add_user(conn, ROOT, "juma", "officer", PASSWORD)
    cookie = devices.remember(conn, SETTINGS, asha, None)
    fail(conn, PAIR.free + 3, "juma")
    assert delay(conn, "juma", device=cookie) > 0
    shared = devices.remember(conn, SETTINGS, users.find(conn, "juma").id, cookie)  # type: ignore[union-attr] # added above
    assert shared == cookie
    assert delay(conn, "juma", device=cookie) == 0


@pytest.mark.parametrize("wrong", ["", "x", ".", "x.y", "é.é", "x" * 500])
def test_a_cookie_that_was_made_up_or_altered_is_no_known_device(
    conn: Connection, asha: int, wrong: str
) -> None:
    cookie = devices.remember(conn, SETTINGS, asha, None)
    token, _, signature = cookie.partition(".")
    for bad in (wrong, f"{token}x.{signature}", f"{token}.{signature[:-1]}0x", token):
        assert devices.find(conn, SETTINGS, asha, bad) is None
    assert devices.find(conn, SETTINGS, asha, cookie)
    assert devices.remember(conn, SETTINGS, asha, wrong).partition(".")[0] != wrong


def test_a_device_is_forgotten_with_the_password_and_after_half_a_year(conn: Connection, asha: int) -> None:
    cookie = devices.remember(conn, SETTINGS, asha, None)
    stored = conn.execute("SELECT string_agg(d::text, '') FROM known_devices d").fetchone()
    assert stored
    assert cookie.partition(".")[0] not in stored[0]
    conn.execute("UPDATE known_devices SET expires_at = expires_at - interval '180 days'")
    assert devices.find(conn, SETTINGS, asha, cookie) is None
    cookie = devices.remember(conn, SETTINGS, asha, cookie)
    users.set_password(conn, ROOT, "asha", "a dry monsoon")
    assert devices.find(conn, SETTINGS, asha, cookie) is None


def test_a_user_has_twenty_known_devices_at_most(conn: Connection, asha: int) -> None:
    cookies = [devices.remember(conn, SETTINGS, asha, None) for _ in range(22)]
    assert [bool(devices.find(conn, SETTINGS, asha, cookie)) for cookie in cookies] == [False] * 2 + [
        True
    ] * 20


def test_refused_tries_do_not_prolong_the_delay_and_are_recorded(
    conn: Connection, asha: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refusals, "LIMITER", refusals.RefusalLimiter())
    fail(conn, PAIR.free + 5)
    for _ in range(3):
        assert delay(conn) > 60
    assert delay(conn, "Asha ") > 60
    [first, *others] = records(conn, "session.throttled")
    assert first == ("(not signed in)", "user:asha", {"seconds": 64})
    assert len(others) == 3
    later(conn, "64 seconds")
    assert delay(conn) == 0


def test_a_successful_try_does_not_count(conn: Connection) -> None:
    for _ in range(PAIR.free + 1):
        throttle.release(conn, throttle.begin(conn, SETTINGS, "asha", HERE))


def test_expired_failures_are_deleted(conn: Connection) -> None:
    fail(conn, 3)
    later(conn, "1 hour")
    throttle.begin(conn, SETTINGS, "juma", HERE)
    assert conn.execute("SELECT count(*) FROM failed_sign_ins").fetchone() == (1,)


def test_tries_at_the_same_time_do_not_slip_by(conn: Connection, pool: db.Pool) -> None:
    def attempt(_: int) -> Attempt | None:
        with pool.connection() as own_conn:
            try:
                return throttle.begin(own_conn, SETTINGS, "asha", HERE)
            except TooManyFailures:
                return None

    assert sum(found is not None for found in at_once(16, attempt)) == PAIR.free
    assert conn.execute("SELECT count(*) FROM failed_sign_ins").fetchone() == (PAIR.free,)


def test_an_administrator_unlocks_a_user(conn: Connection, asha: int) -> None:
    fail(conn, PAIR.free + 5)
    fail(conn, PAIR.free + 5, "juma")
    assert throttle.count_failures(conn, SETTINGS, "Asha") == PAIR.free + 5
    assert throttle.unlock(conn, SETTINGS, ROOT, " ASHA ") == PAIR.free + 5
    assert throttle.count_failures(conn, SETTINGS, "asha") == 0
    assert delay(conn) == 0
    assert records(conn, "user.unlock") == [("root", "user:asha", {"failures": PAIR.free + 5})]
    with pytest.raises(NotFound, match="no user of this name"):
        throttle.unlock(conn, SETTINGS, ROOT, "juma")


def test_names_are_stored_as_keyed_hashes(conn: Connection, asha: int) -> None:
    for typed in ("my secret, 1!", "asha"):
        throttle.begin(conn, SETTINGS, typed, HERE)
    stored = conn.execute("SELECT string_agg(f::text, '') FROM failed_sign_ins f").fetchone()
    assert stored
    assert "secret" not in stored[0]
    assert "asha" not in stored[0]
    attempt = throttle.begin(conn, SETTINGS, "My secret, 1!", HERE)
    assert attempt.subject == throttle.begin(conn, SETTINGS, "my secret, 1!", HERE).subject
    conn.execute("DELETE FROM app_secrets WHERE name = 'sign_in_names'")
    assert attempt.subject != throttle.begin(conn, SETTINGS, "my secret, 1!", HERE).subject


def test_the_keys_of_names_and_devices_stay_the_same(conn: Connection) -> None:
    assert (
        keys.name_key(conn, SETTINGS)
        == keys.name_key(conn, SETTINGS)
        != keys.device_key(conn, SETTINGS)
        == keys.device_key(conn, SETTINGS)
    )


def test_a_device_cannot_belong_to_an_unknown_user(conn: Connection) -> None:
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        devices.remember(conn, SETTINGS, 7, None)
