"""The circuit breaker. It is open while HRIMS is down or refuses the credentials.

An open breaker admits only a probe from time to time. When HRIMS answers a probe, all runs continue. A run
that waits for that uses up no attempt, and does not count for the rate limit.

Each route, a host and an address of HRIMS, has its own breaker. A worker with a wrong address, or on a host
that cannot reach HRIMS, does not stop the others.
"""

import platform
from random import Random

from hrims import metrics
from hrims.config import Settings
from hrims.db import AsyncPool
from hrims.errors import RemoteBadRequest, RemoteCredentials, RemoteDown, RemoteError
from hrims.limits import store
from hrims.limits.slots import Slots
from hrims.limits.store import RemoteRoute
from hrims.log import get_logger
from hrims.remote.client import Remote
from hrims.remote.connection.reader import ConnectionReader
from hrims.remote.following import FollowingRemote
from hrims.remote.retry_after import backoff
from hrims.resilience import retry_on_disconnect, run_periodically

MAX_PAUSE = 120.0
"""Maximum number of seconds between two probes, unless HRIMS requests a longer pause."""

DUE_CHECK_SECONDS = 2.0
"""Seconds between two checks whether a probe is due."""

log = get_logger(__name__)


async def ensure_closed(pool: AsyncPool, remote: Remote) -> None:
    """Raise RemoteDown if the breaker is open: it may have opened after the run started."""
    if reason := await retry_on_disconnect(lambda: _open_reason(pool, route_of(remote))):
        raise RemoteDown(reason)


async def classify_failure(
    pool: AsyncPool, remote: Remote, settings: Settings, error: RemoteError
) -> RemoteError:
    """Return the error with which a run ends whose pages keep failing.

    Check HRIMS with another request. If that fails too, open the breaker and return RemoteDown. Otherwise the
    failure concerns only this run: return ``error``.

    Without a check, return errors that a retry cannot help, except a bad request. Refused credentials also
    open the breaker.
    """
    if isinstance(error, RemoteCredentials):
        await open_breaker(pool, route_of(remote), settings, error)
        return error
    # A server that is not HRIMS may also call a request bad.
    if not error.is_retryable and not isinstance(error, RemoteBadRequest):
        return error
    try:
        await _check(pool, remote, settings)
    except RemoteError as check_error:
        return await open_breaker(pool, route_of(remote), settings, check_error)
    return error


async def open_breaker(
    pool: AsyncPool, route: RemoteRoute, settings: Settings, error: RemoteError
) -> RemoteDown:
    """Open the breaker, or keep it open for longer. Return the error for the run."""
    seconds = await retry_on_disconnect(lambda: _write_open(pool, route, settings, error))
    metrics.BREAKER_OPENED.labels(error.code).inc()
    log.warning("breaker_opened", code=error.code, seconds=round(seconds))
    return RemoteDown(str(error))


async def run_breaker_probe(pool: AsyncPool, settings: Settings) -> None:
    """Probe HRIMS whenever that is due, until cancelled. While no run starts, no run would notice
    its return.
    """

    reader = ConnectionReader(pool, settings)

    async def probe_if_due() -> None:
        known = await reader.current()
        if not known.address:
            return
        route = RemoteRoute(platform.node(), known.address)
        if await _acquire_probe(pool, route, known.settings):
            connection = await reader.refresh()
            async with FollowingRemote(reader, connection) as remote:
                await probe(pool, remote, connection.settings)

    await run_periodically(
        "breaker_probe", min(DUE_CHECK_SECONDS, max(0.1, settings.probe_pause)), probe_if_due
    )


async def probe(pool: AsyncPool, remote: Remote, settings: Settings) -> None:
    """Send a request for no employee. Close the breaker if HRIMS answers, otherwise postpone the
    next probe.
    """
    try:
        await _check(pool, remote, settings)
    except RemoteError as error:
        await open_breaker(pool, route_of(remote), settings, error)
    else:
        await _close(pool, route_of(remote))
        log.warning("breaker_closed")


def route_of(remote: Remote) -> RemoteRoute:
    """Return the route from this host to the address of ``remote``."""
    return RemoteRoute(platform.node(), remote.base_url)


async def _check(pool: AsyncPool, remote: Remote, settings: Settings) -> None:
    """Send a request for no employee. It takes one of the slots, like every request."""
    async with Slots(pool, settings.max_in_flight, settings.silent_seconds) as slots, slots.acquire():
        await remote.check()


async def _open_reason(pool: AsyncPool, route: RemoteRoute) -> str | None:
    async with pool.connection() as conn:
        return await store.find_open_reason(conn, route)


async def _acquire_probe(pool: AsyncPool, route: RemoteRoute, settings: Settings) -> bool:
    async with pool.connection() as conn:
        return await store.acquire_probe(conn, route, settings.request_timeout + settings.connect_timeout)


async def _write_open(pool: AsyncPool, route: RemoteRoute, settings: Settings, error: RemoteError) -> float:
    async with pool.connection() as conn:
        seconds = backoff(
            await store.count_probes(conn, route) + 1,
            settings.probe_pause,
            error.retry_after,
            Random(),  # noqa: S311 - jitter
            MAX_PAUSE,
        )
        await store.open_breaker(conn, route, str(error), error.code, seconds)
    return seconds


async def _close(pool: AsyncPool, route: RemoteRoute) -> None:
    async with pool.connection() as conn:
        await store.close_breaker(conn, route)
