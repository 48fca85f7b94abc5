"""Keeps a worker working: settings come in; Procrastinate's worker runs, and runs again when its
database went away, until a signal asks it to stop.
"""

import asyncio
import logging
import os
import platform
import signal
from types import FrameType

import psycopg
from procrastinate.exceptions import ProcrastinateException

from hrims import db, migrate
from hrims.config import Settings
from hrims.errors import DatabaseUnusable
from hrims.jobs.queue import app

FIRST_PAUSE = 0.5
LONGEST_PAUSE = 5.0
"""Seconds between two starts of a worker that keeps stopping: doubling from the first to the longest, after
which there is time left to save a page within ten seconds of the database's return.
"""

WELL_AFTER = 30.0
"""Seconds after which a worker counts as well, and its next stop as the first."""

log = logging.getLogger(__name__)


async def keep_working(settings: Settings) -> None:
    """Runs a worker until SIGTERM or SIGINT. The second signal ends the process at once, which is as
    safe as a kill: what was saved stays, and the run is rescued.
    """
    stopping = asyncio.Event()
    _listen_for_signals(stopping)
    pause = FIRST_PAUSE
    while not stopping.is_set():
        began = asyncio.get_running_loop().time()
        await _work_once(settings, stopping)
        lasted = asyncio.get_running_loop().time() - began
        pause = FIRST_PAUSE if lasted > WELL_AFTER else min(pause * 2, LONGEST_PAUSE)
        await _sleep(pause, stopping)
    log.info("worker stopped")


def _listen_for_signals(stopping: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def asked(number: int, frame: FrameType | None) -> None:
        if stopping.is_set():
            os._exit(128 + number)
        loop.call_soon_threadsafe(stopping.set)

    signal.signal(signal.SIGTERM, asked)
    signal.signal(signal.SIGINT, asked)


async def _work_once(settings: Settings, stopping: asyncio.Event) -> None:
    try:
        await asyncio.to_thread(_check_schema, settings)
        async with app.open_async():
            log.info("worker is up: %s", _words(settings))
            await _until(stopping, app.run_worker_async(install_signal_handlers=False))
    except DatabaseUnusable as reason:
        log.warning("%s", reason)
    except (psycopg.Error, ProcrastinateException, OSError) as reason:
        log.warning("the database is away (%s); the worker starts again", type(reason).__name__)
    finally:
        # An app that could not be opened keeps its closed pool, and would never ask for another.
        await app.close_async()


def _words(settings: Settings) -> str:
    whose = f"the pool {settings.pool}" if settings.pool else "the institutions of no pool"
    runs = "1 run" if settings.concurrency == 1 else f"{settings.concurrency} runs"
    return f"{runs} at once for {whose}, process {os.getpid()} of {platform.node()}"


def _check_schema(settings: Settings) -> None:
    with db.connect(db.dsn_of(settings)) as conn:
        if migrate.pending(conn):
            raise DatabaseUnusable("The database is not migrated yet. Run `hrims migrate`.")


async def _until(stopping: asyncio.Event, work: object) -> None:
    working = asyncio.ensure_future(work)  # type: ignore[call-overload] # any awaitable
    stop = asyncio.create_task(stopping.wait())
    await asyncio.wait({working, stop}, return_when=asyncio.FIRST_COMPLETED)
    stop.cancel()
    if not working.done():
        log.info("stopping: no new runs; pages in flight have a moment to be saved")
        working.cancel()
    try:
        await working
    except asyncio.CancelledError:
        if not stopping.is_set():
            raise


async def _sleep(seconds: float, stopping: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stopping.wait(), seconds)
    except TimeoutError:
        return
