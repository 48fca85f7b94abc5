"""The breaker: while HRIMS is down or refuses the credentials, it is not asked; now and then one run
probes, and when that is answered all go on. Waiting for it spends no attempt.

Each address of HRIMS has its own: a worker that has a wrong one stops nobody else.
"""

import logging
from datetime import datetime
from random import Random

from hrims.config import Settings
from hrims.db import AsyncPool
from hrims.errors import RemoteCredentials, RemoteDown, RemoteError
from hrims.limits import store
from hrims.limits.slots import Slots
from hrims.remote.client import Remote
from hrims.remote.pace import pause
from hrims.steady import patiently

LONGEST_PAUSE = 120.0
"""Seconds between two probes at most, before what HRIMS itself asks for."""

log = logging.getLogger(__name__)


async def pass_through(pool: AsyncPool, remote: Remote, settings: Settings) -> None:
    """Returns while HRIMS is asked; probes it first when that is due.

    Raises RemoteDown, with the time of the next probe, while the breaker is open.
    """
    at = remote.address
    found = await patiently(lambda: _open(pool, at))
    if found is None:
        return
    # Whether a probe is due, the database's clock says.
    if await patiently(lambda: _take(pool, at, settings)):
        try:
            await _check(pool, remote, settings)
        except RemoteError as trouble:
            raise await trip(pool, at, settings, trouble) from trouble
        await patiently(lambda: _close(pool, at))
        log.warning("HRIMS answers again; the runs that waited for it go on")
        return
    again = await patiently(lambda: _open(pool, at))
    if again is not None:
        raise RemoteDown(again.reason, address=at, until=again.probe_at)


async def suspect(pool: AsyncPool, remote: Remote, settings: Settings, trouble: RemoteError) -> RemoteError:
    """What to make of pages that keep failing: RemoteDown, with the breaker open, when HRIMS answers
    nothing else either; else the trouble itself, which is this run's own.
    """
    if isinstance(trouble, RemoteCredentials):
        await trip(pool, remote.address, settings, trouble)
        return trouble
    if not trouble.again:
        return trouble
    try:
        await _check(pool, remote, settings)
    except RemoteError as down:
        return await trip(pool, remote.address, settings, down)
    return trouble


async def trip(pool: AsyncPool, address: str, settings: Settings, trouble: RemoteError) -> RemoteDown:
    """Opens the breaker, or keeps it open for longer; returns what to tell the run."""
    until = await patiently(lambda: _trip(pool, address, settings, trouble))
    log.warning("HRIMS is not asked until %s: %s", until.isoformat(timespec="seconds"), trouble.code)
    return RemoteDown(str(trouble), address=address, until=until)


async def _check(pool: AsyncPool, remote: Remote, settings: Settings) -> None:
    """Asks HRIMS for nobody, as one of the requests that may be in flight."""
    async with Slots(pool, settings.max_in_flight, settings.silent_seconds) as slots, slots.one():
        await remote.check()


async def _open(pool: AsyncPool, address: str) -> store.Breaker | None:
    async with pool.connection() as conn:
        return await store.breaker(conn, address)


async def _take(pool: AsyncPool, address: str, settings: Settings) -> bool:
    async with pool.connection() as conn:
        return await store.take_probe(conn, address, settings.request_timeout + settings.connect_timeout)


async def _trip(pool: AsyncPool, address: str, settings: Settings, trouble: RemoteError) -> datetime:
    async with pool.connection() as conn:
        open_already = await store.breaker(conn, address)
        probes = open_already.probes if open_already else 0
        seconds = pause(
            probes + 1,
            settings.probe_pause,
            trouble.retry_after,
            Random(),  # noqa: S311 - jitter
            LONGEST_PAUSE,
        )
        return await store.open_breaker(conn, address, str(trouble), trouble.code, seconds)


async def _close(pool: AsyncPool, address: str) -> None:
    async with pool.connection() as conn:
        await store.close_breaker(conn, address)
