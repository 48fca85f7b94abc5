"""Actions of the rate limiter for sign-ins: begin an attempt, release it, unlock a user.

Postgres counts the failures, so that the limits cover all web processes. An attempt counts as failed before
its password is checked, and is deleted if the password was right. Concurrent attempts cannot exceed the
limits.
"""

import math
import time
from typing import NamedTuple

from hrims.access import devices, names, users
from hrims.access.actor import Actor
from hrims.access.audit import record
from hrims.access.throttle import delays, store
from hrims.access.users.store import User
from hrims.audit import refusals
from hrims.config import Settings
from hrims.db import Connection
from hrims.errors import NotFound, TooMany
from hrims.networks import network_of


class TooManyFailures(TooMany):
    """Too many sign-ins failed. For ``retry_after`` seconds no password is checked."""

    code = "too_many_sign_ins"

    def __init__(self, retry_after: int) -> None:
        minutes = math.ceil(retry_after / 60)
        wait = f"{minutes} minutes" if minutes > 1 else "a minute"
        if retry_after < 60:
            wait = f"{retry_after} seconds" if retry_after > 1 else "a second"
        super().__init__(f"Too many sign-ins failed. Try again in {wait}. Until then no password is checked.")
        self.retry_after = retry_after


class Attempt(NamedTuple):
    """An attempt to sign in, counted as failed until ``release``: id, subject of records and user."""

    id: int
    subject: str
    user: User | None


def begin(
    conn: Connection,
    settings: Settings,
    name: str,
    address: str | None,
    device: str | None = None,
    *,
    actor: Actor | None = None,
) -> Attempt:
    """Count one attempt with a typed name, in a separate transaction.

    ``device`` is the cookie of the browser, ``actor`` acts in the record. Raises TooManyFailures if the delay
    after the last failure is not over; the refusal does not prolong the delay.
    """
    origin = network_of(address) if address else None
    with conn.transaction():
        name_hash = names.hash_name(conn, settings, name)
        user = users.find(conn, name)
        subject = f"user:{user.name}" if user else names.unknown_subject(name_hash)
        device_id = devices.find(conn, settings, user.id, device) if user and device else None
        store.lock_sign_ins(conn, name_hash, origin)
        seconds = _seconds_left(conn, name_hash, origin, device_id)
        if not seconds:
            store.delete_old_failures(conn, delays.WINDOW)
            return Attempt(store.insert_failure(conn, name_hash, origin, device_id), subject, user)
        retry_after = math.ceil(seconds)
        # Strangers must not fill the trail, so records are limited like those of refused requests.
        if refusals.LIMITER.admit(address, TooManyFailures.code, time.monotonic()):
            by = actor or Actor(names.ANONYMOUS, "page", address)
            record(conn, by, "session.throttled", subject, seconds=retry_after)
    raise TooManyFailures(retry_after)


def _seconds_left(conn: Connection, name_hash: bytes, origin: str | None, device_id: int | None) -> float:
    window = delays.WINDOW
    if device_id is not None:
        return delays.DEVICE.seconds_left(*store.count_by_device(conn, device_id, window))
    found = [
        delays.PAIR.seconds_left(*store.count_by_pair(conn, name_hash, origin, window)),
        delays.NAME.seconds_left(*store.count_by_name(conn, name_hash, window)),
    ]
    if origin:
        found.append(delays.ORIGIN.seconds_left(*store.count_by_address(conn, origin, window)))
    return max(found)


def release(conn: Connection, attempt: Attempt) -> None:
    """Delete a counted failure, because the password was right."""
    store.delete_failure(conn, attempt.id)


def count_failures(conn: Connection, settings: Settings, name: str) -> int:
    """Return how many failed sign-ins of a user count at present, at all addresses and in all devices."""
    return store.count_all(conn, names.hash_name(conn, settings, name), delays.WINDOW)


def unlock(conn: Connection, settings: Settings, actor: Actor, name: str) -> int:
    """Delete the failed sign-ins of a user, so that no delay is left. Return how many.

    The delay of an address at which many users failed stays. Raises NotFound for an unknown user.
    """
    with conn.transaction():
        user = users.find(conn, name)
        if not user:
            raise NotFound("There is no user of this name. Nothing was changed.", "unknown_user")
        deleted = store.delete_failures_of(conn, names.hash_name(conn, settings, user.name))
        record(conn, actor, "user.unlock", f"user:{user.name}", failures=deleted)
    return deleted
