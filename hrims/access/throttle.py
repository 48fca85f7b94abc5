"""Slows down who guesses passwords: a name and an address come in; leave to try, or a refusal, goes out.

Counted in Postgres, so that the limits hold over all web processes. Every try counts as failed before
the password is looked at, and is taken back when it was right: tries at the same time cannot slip by.
"""

import ipaddress
import math
from datetime import timedelta

from hrims.access import store
from hrims.db import Connection
from hrims.errors import TooMany

WINDOW = timedelta(minutes=15)
"""How long a failed sign-in counts."""

A_NAME = 10
"""Failed sign-ins with one name within the window."""

AN_ADDRESS = 50
"""Failed sign-ins from one address within the window: an office may share one."""


class TooManyFailures(TooMany):
    """Too many sign-ins failed; ``retry_after`` says for how many seconds none is looked at."""

    default_code = "too_many_sign_ins"

    def __init__(self, retry_after: int) -> None:
        minutes = math.ceil(retry_after / 60)
        wait = "a minute" if minutes == 1 else f"{minutes} minutes"
        super().__init__(f"Too many sign-ins failed. Try again in {wait}; until then none is looked at.")
        self.retry_after = retry_after


def claim(conn: Connection, name: str, address: str | None) -> int:
    """Leave to try one password, counted as failed until ``take_back``. A transaction of its own.

    Raises TooManyFailures when the name or the address has failed too often.
    """
    origin = _origin(address)
    with conn.transaction():
        store.lock_sign_ins(conn, name, origin)
        full = [
            at
            for at in (
                store.nth_latest_failure(conn, WINDOW, name=name, nth=A_NAME),
                origin and store.nth_latest_failure(conn, WINDOW, address=origin, nth=AN_ADDRESS),
            )
            if at
        ]
        if full:
            raise TooManyFailures(max(1, math.ceil(store.seconds_until(conn, max(full) + WINDOW))))
        store.delete_old_failures(conn, WINDOW)
        return store.insert_failure(conn, name, origin)


def take_back(conn: Connection, claimed: int) -> None:
    """The password was right: the try no longer counts."""
    store.delete_failure(conn, claimed)


def _origin(address: str | None) -> str | None:
    # A household has 2**64 addresses of IPv6; they count as one.
    if not address or ipaddress.ip_address(address).version == 4:
        return address
    return str(ipaddress.ip_network((address, 64), strict=False))
