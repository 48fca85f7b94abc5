"""A rate limiter for sign-ins. Input: a name and an address. Output: permission to check a password, or not.

Postgres counts the failures, so that the limits cover all web processes. An attempt counts as failed before
its password is checked, and is deleted if the password was right. Concurrent attempts cannot exceed the
limit.
"""

import ipaddress
import math
from datetime import timedelta

from hrims.access import store
from hrims.db import Connection
from hrims.errors import TooMany

WINDOW = timedelta(minutes=15)
"""The time for which a failed sign-in counts."""

MAX_PER_NAME = 10
"""The limit of failed sign-ins with one name within the window."""

MAX_PER_ADDRESS = 50
"""The limit of failed sign-ins from one address within the window. It is higher: an office may share one."""


class TooManyFailures(TooMany):
    """Too many sign-ins failed. For ``retry_after`` seconds no password is checked."""

    code = "too_many_sign_ins"

    def __init__(self, retry_after: int) -> None:
        minutes = math.ceil(retry_after / 60)
        wait = "a minute" if minutes == 1 else f"{minutes} minutes"
        super().__init__(f"Too many sign-ins failed. Try again in {wait}. Until then no password is checked.")
        self.retry_after = retry_after


def claim(conn: Connection, name: str, address: str | None) -> int:
    """Count one attempt as failed, until ``release``, in a separate transaction. Return its id.

    Raises TooManyFailures if the name or the address has failed too often.
    """
    origin = _origin(address)
    with conn.transaction():
        store.lock_sign_ins(conn, name, origin)
        blocked_since = [
            at
            for at in (
                store.nth_latest_failure(conn, WINDOW, name=name, nth=MAX_PER_NAME),
                origin and store.nth_latest_failure(conn, WINDOW, address=origin, nth=MAX_PER_ADDRESS),
            )
            if at
        ]
        if blocked_since:
            raise TooManyFailures(max(1, math.ceil(store.seconds_until(conn, max(blocked_since) + WINDOW))))
        store.delete_old_failures(conn, WINDOW)
        return store.insert_failure(conn, name, origin)


def release(conn: Connection, failure_id: int) -> None:
    """Delete a counted failure, because the password was right."""
    store.delete_failure(conn, failure_id)


def _origin(address: str | None) -> str | None:
    # A household has 2**64 IPv6 addresses. They count as one.
    if not address or ipaddress.ip_address(address).version == 4:
        return address
    return str(ipaddress.ip_network((address, 64), strict=False))
