"""A worker's signs of life: from its first moment to its last it is written down, once a beat, and never
loses its runs over it.
"""

import asyncio
import contextlib
import os
import platform
from collections.abc import AsyncIterator, Callable
from importlib import metadata
from typing import Any

import psycopg
from psycopg_pool import PoolTimeout

from hrims.config import Settings
from hrims.db import AsyncPool
from hrims.errors import ConfigError
from hrims.jobs.workers import store
from hrims.remote.address import address_of
from hrims.steady import for_ever

LOOK_UP = 0.05
"""Seconds between two looks whether Procrastinate has given the worker its number."""

KEEP_DAYS = 7
"""Days for which a worker that is gone stays on the list."""

LAST_WORD = 2.0
"""Seconds that a stopping worker tries to say so."""

VERSION = metadata.version("hrims-sync")


@contextlib.asynccontextmanager
async def written_down(
    pool: AsyncPool, settings: Settings, number: Callable[[], int | None]
) -> AsyncIterator[None]:
    """Writes the worker down until the block ends. ``number`` is None until Procrastinate knows it."""
    known: asyncio.Future[int] = asyncio.get_running_loop().create_future()
    beating = asyncio.create_task(_keep_beating(pool, settings, number, known))
    try:
        yield
    finally:
        beating.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await beating
        # Procrastinate has forgotten the number by now.
        if known.done():
            with contextlib.suppress(psycopg.Error, PoolTimeout, TimeoutError):
                async with asyncio.timeout(LAST_WORD), pool.connection() as conn:
                    await store.end(conn, known.result())


async def _keep_beating(
    pool: AsyncPool, settings: Settings, number: Callable[[], int | None], known: asyncio.Future[int]
) -> None:
    while (worker_id := number()) is None:  # noqa: ASYNC110 - Procrastinate tells nobody
        await asyncio.sleep(LOOK_UP)
    known.set_result(worker_id)

    is_first = True

    async def beat() -> None:
        nonlocal is_first
        # Anew each time: a simulator that starts again has another address.
        me = describe(worker_id, settings)
        async with pool.connection() as conn:
            await store.beat(conn, me)
            if is_first:
                # When its database was away it began again without having been able to say that it ended.
                await store.succeed(conn, me)
            await store.forget(conn, KEEP_DAYS)
        is_first = False

    await for_ever("give a sign of life", settings.beat_seconds, beat)


def describe(worker_id: int, settings: Settings) -> dict[str, Any]:
    """This process as it is written down."""
    return {
        "worker_id": worker_id,
        "host": platform.node(),
        "pid": os.getpid(),
        "version": VERSION,
        "pool": settings.pool,
        "capacity": settings.concurrency,
        "silent_seconds": settings.silent_seconds,
        "address": _address(settings),
    }


def _address(settings: Settings) -> str:
    try:
        return address_of(settings)
    except ConfigError:
        return ""
