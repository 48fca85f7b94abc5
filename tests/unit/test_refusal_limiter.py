"""Strangers cannot fill the disk with audit records of refusals."""

from hrims.audit.refusals import MAX_ADDRESSES, PER_ADDRESS, PER_MINUTE, LeftOut, RefusalLimiter

HERE, THERE = "192.0.2.1", "192.0.2.2"


def test_the_first_ones_of_an_address_are_recorded() -> None:
    limiter = RefusalLimiter()
    admitted = [limiter.admit(HERE, "csrf", 5.0) for _ in range(PER_ADDRESS + 7)]
    assert admitted == [True] * PER_ADDRESS + [False] * 7
    assert limiter.admit(THERE, "csrf", 5.0)


def test_the_others_are_counted_when_their_minute_has_ended() -> None:
    limiter = RefusalLimiter()
    for code in ["csrf"] * (PER_ADDRESS + 2) + ["not_allowed"] * 3:
        limiter.admit(HERE, code, 59.0)
    assert limiter.take_left_out(59.9) == []
    assert limiter.take_left_out(60.0) == [LeftOut(HERE, {"csrf": 2, "not_allowed": 3})]
    assert limiter.take_left_out(200.0) == []


def test_a_minute_later_they_are_recorded_again() -> None:
    limiter = RefusalLimiter()
    for _ in range(PER_ADDRESS + 1):
        limiter.admit(HERE, "csrf", 59.0)
    assert limiter.admit(HERE, "csrf", 60.0)
    assert limiter.take_left_out(61.0) == [LeftOut(HERE, {"csrf": 1})]


def test_many_addresses_share_a_limit_and_bounded_memory() -> None:
    limiter = RefusalLimiter()
    count = PER_MINUTE + MAX_ADDRESSES + 500
    admitted = sum(limiter.admit(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}", "csrf", 1.0) for n in range(count))
    assert admitted == PER_MINUTE
    left_out = limiter.take_left_out(61.0)
    assert len(left_out) == MAX_ADDRESSES + 1
    assert sum(sum(item.codes.values()) for item in left_out) == count - PER_MINUTE
    assert LeftOut(None, {"csrf": 500}) in left_out


def test_the_addresses_of_a_household_count_as_one() -> None:
    limiter = RefusalLimiter()
    admitted = [limiter.admit(f"2001:db8:1:2::{n:x}", "csrf", 1.0) for n in range(PER_ADDRESS + 1)]
    assert admitted == [True] * PER_ADDRESS + [False]
    assert limiter.take_left_out(61.0) == [LeftOut("2001:db8:1:2::/64", {"csrf": 1})]


def test_a_client_without_an_address_is_counted_too() -> None:
    limiter = RefusalLimiter()
    assert limiter.admit(None, "csrf", 1.0)
