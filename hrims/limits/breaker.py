"""The breaker: while HRIMS is down or refuses the credentials, it is not asked, but for a probe now and then;
when that is answered all go on. Waiting for it spends no attempt and no start.

Each host has its own for each address: whoever has a wrong one, or cannot reach it, stops nobody else.
"""

import logging
import platform
from random import Random

from hrims.config import Settings
from hrims.db import AsyncPool
from hrims.errors import ConfigError, RemoteBadRequest, RemoteCredentials, RemoteDown, RemoteError
from hrims.limits import store
from hrims.limits.slots import Slots
from hrims.limits.store import Way
from hrims.remote.address import address_of
from hrims.remote.client import Remote
from hrims.remote.pace import pause
from hrims.steady import for_ever, patiently

LONGEST_PAUSE = 120.0
"""Seconds between two probes at most, before what HRIMS itself asks for."""

LOOK = 2.0
"""Seconds between two looks whether a probe is due."""

log = logging.getLogger(__name__)


async def pass_through(pool: AsyncPool, remote: Remote) -> None:
    """Returns while HRIMS is asked. Raises RemoteDown for a run that started before it no longer was."""
    if why := await patiently(lambda: _reason(pool, way_of(remote))):
        raise RemoteDown(why)


async def suspect(pool: AsyncPool, remote: Remote, settings: Settings, trouble: RemoteError) -> RemoteError:
    """What to make of pages that keep failing: RemoteDown, with the breaker open, when HRIMS answers
    nothing else either; else the trouble itself, which is this run's own.
    """
    if isinstance(trouble, RemoteCredentials):
        await trip(pool, way_of(remote), settings, trouble)
        return trouble
    # A request is also bad where there is no HRIMS at all.
    if not trouble.again and not isinstance(trouble, RemoteBadRequest):
        return trouble
    try:
        await _check(pool, remote, settings)
    except RemoteError as down:
        return await trip(pool, way_of(remote), settings, down)
    return trouble


async def trip(pool: AsyncPool, way: Way, settings: Settings, trouble: RemoteError) -> RemoteDown:
    """Opens the breaker, or keeps it open for longer; returns what to tell the run."""
    seconds = await patiently(lambda: _trip(pool, way, settings, trouble))
    log.warning("HRIMS is not asked for %.0f s: %s", seconds, trouble.code)
    return RemoteDown(str(trouble))


async def keep_probing(pool: AsyncPool, settings: Settings) -> None:
    """Probes HRIMS whenever that is due, for ever: no run starts, and none finds out that it is back."""

    async def probe_if_due() -> None:
        try:
            address = address_of(settings)
        except ConfigError:
            return
        if await _take(pool, Way(platform.node(), address), settings):
            async with Remote(settings, base_url=address) as remote:
                await probe(pool, remote, settings)

    await for_ever("probe HRIMS", min(LOOK, max(0.1, settings.probe_pause)), probe_if_due)


async def probe(pool: AsyncPool, remote: Remote, settings: Settings) -> None:
    """Asks HRIMS for nobody: all go on when it answers, else the next probe is due later."""
    try:
        await _check(pool, remote, settings)
    except RemoteError as trouble:
        await trip(pool, way_of(remote), settings, trouble)
    else:
        await _close(pool, way_of(remote))
        log.warning("HRIMS answers again; the runs that waited for it go on")


def way_of(remote: Remote) -> Way:
    """From here to there."""
    return Way(platform.node(), remote.address)


async def _check(pool: AsyncPool, remote: Remote, settings: Settings) -> None:
    """Asks HRIMS for nobody, as one of the requests that may be in flight."""
    async with Slots(pool, settings.max_in_flight, settings.silent_seconds) as slots, slots.one():
        await remote.check()


async def _reason(pool: AsyncPool, way: Way) -> str | None:
    async with pool.connection() as conn:
        return await store.reason(conn, way)


async def _take(pool: AsyncPool, way: Way, settings: Settings) -> bool:
    async with pool.connection() as conn:
        return await store.take_probe(conn, way, settings.request_timeout + settings.connect_timeout)


async def _trip(pool: AsyncPool, way: Way, settings: Settings, trouble: RemoteError) -> float:
    async with pool.connection() as conn:
        seconds = pause(
            await store.probes(conn, way) + 1,
            settings.probe_pause,
            trouble.retry_after,
            Random(),  # noqa: S311 - jitter
            LONGEST_PAUSE,
        )
        await store.open_breaker(conn, way, str(trouble), trouble.code, seconds)
    return seconds


async def _close(pool: AsyncPool, way: Way) -> None:
    async with pool.connection() as conn:
        await store.close_breaker(conn, way)
