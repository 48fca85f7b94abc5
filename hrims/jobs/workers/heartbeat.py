"""The heartbeat of a worker process.

The process is registered before it takes work, and unregistered after all its tasks have ended. It has no
other heartbeat: rescuer, health check, pages and SQL views use this one.
"""

import asyncio
import contextlib
import os
import platform
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from typing import Any, NamedTuple

import psycopg
from structlog.contextvars import bound_contextvars

from hrims.config import Settings
from hrims.db import AsyncPool
from hrims.jobs.workers import store
from hrims.outages import outages
from hrims.remote.connection.model import RemoteConnection
from hrims.remote.connection.reader import ConnectionReader
from hrims.resilience import retry_on_disconnect, run_periodically
from hrims.version import VERSION

UNREGISTER_TIMEOUT = 2.0
"""Seconds after which a stopping worker abandons unregistering."""

PROCESS_ID = uuid.uuid4().hex
"""The identifier of this process, also in the names of its sessions.

Its worker id may change, and another process may have the same host name and process id.
"""


OnHeartbeat = Callable[[float], None]
"""A callback for each written heartbeat. It gets the time by the clock of the database, in seconds."""


class Registration(NamedTuple):
    """The worker id of this process, and the task that writes its heartbeat."""

    worker_id: int
    heartbeat_task: asyncio.Task[None]


@contextlib.asynccontextmanager
async def registered(
    pool: AsyncPool, settings: Settings, reader: ConnectionReader, on_beat: OnHeartbeat
) -> AsyncIterator[Registration]:
    """Register the worker and write its heartbeat until the block ends. Call ``on_beat`` after each one.

    Every line that the worker logs in the block has its id.
    """

    async def describe_now() -> dict[str, Any]:
        # Read the connection each time: a user may change it, and a restarted simulator has another address.
        return describe(settings, await reader.current())

    worker_id, now = await retry_on_disconnect(lambda: _register(pool, describe_now))
    with bound_contextvars(worker=worker_id):
        on_beat(now)
        writing = _write_heartbeats(pool, settings.beat_seconds, worker_id, describe_now, on_beat)
        async with _heartbeat(pool, worker_id, writing) as registration:
            yield registration


Describe = Callable[[], Awaitable[dict[str, Any]]]
"""Returns the row of this process as it is now."""


@contextlib.asynccontextmanager
async def _heartbeat(
    pool: AsyncPool, worker_id: int, writing: Coroutine[Any, Any, None]
) -> AsyncIterator[Registration]:
    task = asyncio.create_task(writing, name="heartbeat")
    try:
        yield Registration(worker_id, task)
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task
        with contextlib.suppress(psycopg.Error, TimeoutError):
            async with asyncio.timeout(UNREGISTER_TIMEOUT), pool.connection() as conn:
                await store.mark_ended(conn, worker_id)


async def _register(pool: AsyncPool, describe_now: Describe) -> tuple[int, float]:
    row = await describe_now()
    async with pool.connection() as conn:
        worker_id = await store.register(conn, row)
        return worker_id, await store.write_heartbeat(conn, row | {"worker_id": worker_id})


async def _write_heartbeats(
    pool: AsyncPool, seconds: float, worker_id: int, describe_now: Describe, on_beat: OnHeartbeat
) -> None:
    async def write() -> None:
        row = await describe_now() | {"worker_id": worker_id}
        async with pool.connection() as conn:
            now = await store.write_heartbeat(conn, row)
        outages.note_success()
        on_beat(now)

    await run_periodically("heartbeat", seconds, write)


def describe(settings: Settings, connection: RemoteConnection | None = None) -> dict[str, Any]:
    """Return the row of this process in the table ``workers``, with its connection to HRIMS."""
    return {
        "host": platform.node(),
        "pid": os.getpid(),
        "process": PROCESS_ID,
        "version": VERSION,
        "pool": settings.pool,
        "capacity": settings.concurrency,
        "silent_seconds": settings.silent_seconds,
        "address": connection.address if connection else "",
        "remote_problem": connection.problem if connection else None,
        "connection_version": connection.version if connection else None,
        "clock": time.time(),
    }
