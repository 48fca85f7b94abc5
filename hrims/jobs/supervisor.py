"""The supervisor of a worker: runs Procrastinate's worker, and restarts it after an outage of the database.

Input: settings. It runs until a signal stops it.
"""

import asyncio
import os
import signal
from logging import DEBUG, WARNING
from types import FrameType

import psycopg
from procrastinate.exceptions import ProcrastinateException

from hrims import db, migrate
from hrims.backoff import exponential_backoff
from hrims.config import Settings
from hrims.errors import DatabaseUnusable
from hrims.jobs.liveness import Liveness
from hrims.jobs.queue import app
from hrims.log import get_logger
from hrims.outages import outages
from hrims.resilience import cancel_all, name_of, note_outage
from hrims.schema import SchemaCheck
from hrims.vault.errors import SecretUnreadable
from hrims.vault.store import encrypt_clear

FIRST_PAUSE, MAX_PAUSE = 0.5, 5.0
"""Seconds before a worker that stopped is restarted: doubled from the first value up to the maximum. The
maximum leaves time to save a page within ten seconds of the database's return.
"""

HEALTHY_AFTER = 30.0
"""Seconds after which a worker counts as healthy, so that its next restart uses the first pause."""

log = get_logger(__name__)


async def run_worker(settings: Settings) -> None:
    """Run a worker until SIGTERM or SIGINT. A second signal ends the process immediately.

    That is as safe as a kill: saved pages stay, and the rescuer requeues the run.
    """
    stopping = asyncio.Event()
    schema, liveness = SchemaCheck(), Liveness()
    _listen_for_signals(stopping)
    signs = asyncio.create_task(liveness.run())
    failures = 0
    while not stopping.is_set():
        started_at = asyncio.get_running_loop().time()
        await _run_worker_once(settings, schema, stopping, liveness)
        liveness.status = "waiting for the database"
        seconds = asyncio.get_running_loop().time() - started_at
        failures = 1 if seconds > HEALTHY_AFTER else failures + 1
        await _sleep(exponential_backoff(FIRST_PAUSE, failures, MAX_PAUSE), stopping)
    await cancel_all([signs])
    log.info("worker_stopped")


def _listen_for_signals(stopping: asyncio.Event) -> None:
    loop = asyncio.get_running_loop()

    def on_signal(number: int, frame: FrameType | None) -> None:
        if stopping.is_set():
            os._exit(128 + number)
        loop.call_soon_threadsafe(stopping.set)

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)


async def _run_worker_once(
    settings: Settings, schema: SchemaCheck, stopping: asyncio.Event, liveness: Liveness
) -> None:
    try:
        await asyncio.to_thread(_check_schema, settings, schema)
        async with app.open_async():
            liveness.status = "working"
            await _until(stopping, app.run_worker_async(install_signal_handlers=False))
    except DatabaseUnusable as error:
        outages.note_unusable(str(error))
    except (psycopg.Error, ProcrastinateException, OSError) as error:
        log.log(DEBUG if note_outage(error) else WARNING, "worker_restarting", error=name_of(error))
    finally:
        # An app that failed to open keeps its closed pool and would never open another.
        await app.close_async()


def _check_schema(settings: Settings, schema: SchemaCheck) -> None:
    with db.connect(db.dsn_of(settings)) as conn:
        if warning := schema.check(migrate.read_ledger(conn)):
            log.warning("schema_warning", message=warning)
        try:
            encrypt_clear(conn, settings)
        except SecretUnreadable as error:
            # The worker may need no stored secret: its credentials can be in the environment.
            log.warning("secrets_unreadable", message=str(error))


async def _until(stopping: asyncio.Event, work: object) -> None:
    worker_task = asyncio.ensure_future(work)  # type: ignore[call-overload] # any awaitable
    stop_task = asyncio.create_task(stopping.wait())
    await asyncio.wait({worker_task, stop_task}, return_when=asyncio.FIRST_COMPLETED)
    stop_task.cancel()
    if not worker_task.done():
        log.info("worker_stopping")
        worker_task.cancel()
    try:
        await worker_task
    except asyncio.CancelledError:
        if not stopping.is_set():
            raise


async def _sleep(seconds: float, stopping: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stopping.wait(), seconds)
    except TimeoutError:
        return
