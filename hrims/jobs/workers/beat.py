"""The heartbeat of a worker process, the only one. The process is registered before it takes work, and
unregistered after all its tasks have ended. Rescuer, health, pages and views judge by this heartbeat.
"""

import asyncio
import contextlib
import os
import platform
import uuid
from collections.abc import AsyncIterator, Callable
from importlib import metadata
from typing import Any, NamedTuple

import psycopg

from hrims.config import Settings
from hrims.db import AsyncPool
from hrims.errors import ConfigError
from hrims.jobs.workers import store
from hrims.remote.address import address_of
from hrims.steady import for_ever, patiently

LAST_WORD = 2.0
"""Seconds that a stopping worker tries to say so."""

VERSION = metadata.version("hrims-sync")


PROCESS = uuid.uuid4().hex
"""Identifies this process, also in the names of its sessions: its worker may get another number, and host and
process id may be shared.
"""


OnBeat = Callable[[float], None]
"""Hears of each heartbeat that was written: its time by the database's clock, in seconds."""


class Registration(NamedTuple):
    """The number of this process in the queue, and the task that writes its heartbeat."""

    worker_id: int
    beating: asyncio.Task[None]


@contextlib.asynccontextmanager
async def registered(pool: AsyncPool, settings: Settings, on_beat: OnBeat) -> AsyncIterator[Registration]:
    """Register the worker and write its heartbeat until the block ends; call ``on_beat`` after each."""
    worker_id, first_beat = await patiently(lambda: _register(pool, settings))
    on_beat(first_beat)
    beating = asyncio.create_task(_keep_beating(pool, settings, worker_id, on_beat), name="heartbeat")
    try:
        yield Registration(worker_id, beating)
    finally:
        beating.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await beating
        with contextlib.suppress(psycopg.Error, TimeoutError):
            async with asyncio.timeout(LAST_WORD), pool.connection() as conn:
                await store.end(conn, worker_id)


async def _register(pool: AsyncPool, settings: Settings) -> tuple[int, float]:
    me = describe(settings)
    async with pool.connection() as conn:
        worker_id = await store.register(conn, me)
        return worker_id, await store.beat(conn, me | {"worker_id": worker_id})


async def _keep_beating(pool: AsyncPool, settings: Settings, worker_id: int, on_beat: OnBeat) -> None:
    async def beat() -> None:
        # Read each time: a simulator that starts again has another address.
        me = describe(settings) | {"worker_id": worker_id}
        async with pool.connection() as conn:
            moment = await store.beat(conn, me)
        on_beat(moment)

    await for_ever("write the heartbeat", settings.beat_seconds, beat)


def describe(settings: Settings) -> dict[str, Any]:
    """This process as it is written down."""
    return {
        "host": platform.node(),
        "pid": os.getpid(),
        "process": PROCESS,
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
