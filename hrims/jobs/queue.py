"""The Procrastinate app: queued jobs come in, executed tasks go out, on one pool of connections."""

import asyncio
import contextlib
import logging
import os
import platform
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from typing import Any

import procrastinate
from procrastinate.jobs import JobDeferrer
from procrastinate.worker import Worker
from psycopg.conninfo import make_conninfo

from hrims import config, connection_pools, db, steady
from hrims.jobs import store
from hrims.jobs.job_manager import FencedJobManager, WorkerJobManager
from hrims.jobs.rescue import watch
from hrims.jobs.retention import prune
from hrims.jobs.starts import store as starts
from hrims.jobs.starts.priorities import PRIORITIES
from hrims.jobs.starts.store import Turn
from hrims.jobs.workers import background, beat, claims
from hrims.jobs.workers.claims import Process
from hrims.jobs.workers.pools import queue_of
from hrims.limits import breaker

RUN_TASK = "sync.run"

POOL_SPARE = 8
"""Connections beside those that save pages: fetching, beating, listening, finishing, rescuing, delivering."""

WARM = 4
"""Connections that stay open: a run that begins finds them, and what Postgres has learned on them, there."""

SHORTEST_WAIT = 0.1
"""Seconds at least before a worker looks again for what should be due by now."""

log = logging.getLogger(__name__)


def job_of(run_id: int, turn: Turn, conn: db.Connection | db.AsyncConnection) -> JobDeferrer:
    """The job of a run, to be deferred on this connection, inside the caller's transaction."""
    return app.configure_task(
        RUN_TASK,
        queue=queue_of(turn.pool),
        queueing_lock=f"run:{run_id}",
        priority=PRIORITIES[turn.priority],
        connection=conn,
    )


async def queue_run(conn: db.AsyncConnection, run_id: int) -> None:
    """Queues a job for the run, for the worker; ``ask.queue_run`` is for all others."""
    job = job_of(run_id, await starts.turn_async(conn, run_id), conn)
    await store.link_job_async(conn, run_id, await job.defer_async(run_id=run_id))


BESIDE: list[Callable[[db.AsyncPool, config.Settings], Coroutine[Any, Any, None]]] = [
    partial(watch.keep_watch, queue_run),
    prune.keep_pruning,
    breaker.keep_probing,
]
"""What every worker does beside its runs, for ever; rooms above add theirs."""


class QueueApp(procrastinate.App):
    """An app whose every worker also looks for runs of workers that died."""

    job_manager: FencedJobManager

    settings: config.Settings
    """Those with which the worker began."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job_manager = FencedJobManager(self.connector, self._wake_in)
        self._serving: list[Worker] = []
        self._worker_now: Worker | None = None
        self._waking: asyncio.TimerHandle | None = None

    @property
    def is_stopping(self) -> bool:
        """Whether the worker was asked to stop: whoever works hands back at the next good moment."""
        worker = self._worker_now
        return worker is not None and worker._stop_event.is_set()  # noqa: SLF001 - it tells nobody else

    def _wake_in(self, seconds: float) -> None:
        """The worker polls seldom; what it knows to become due, it looks for in time."""
        if self._waking:
            self._waking.cancel()
        if worker := self._worker_now:
            later = asyncio.get_running_loop().call_later
            self._waking = later(max(seconds, SHORTEST_WAIT), worker._new_job_event.set)  # noqa: SLF001 - no other way

    async def run_worker_async(self, **kwargs: Any) -> None:
        """Run a worker and its background tasks under one number and one heartbeat.

        Raises BackgroundTaskEnded when one of them ends: the process is to be started again.
        """
        self.perform_import_paths()  # type: ignore[no-untyped-call] # untyped in Procrastinate
        settings = self.settings = _settings()
        if await steady.patiently(self._tell_limit):
            log.info("a pooler stands in front of the database: the worker looks for runs every two seconds")
            kwargs["listen_notify"] = False
        async with beat.registered(pool_of(self), settings, partial(watch.note_beat, settings)) as mine:
            self.job_manager = WorkerJobManager(self.connector, mine.worker_id, self._wake_in)
            worker = self._worker_now = self._worker(**kwargs)
            with self.serving(worker):
                works = self._background_tasks(mine.worker_id)
                others = [
                    asyncio.create_task(work, name=getattr(work, "__qualname__", None)) for work in works
                ]
                await background.run_with(worker, [mine.beating, *others])

    def _background_tasks(self, worker_id: int) -> list[Coroutine[Any, Any, None]]:
        pool, settings = pool_of(self), self.settings
        process = Process(worker_id, self._serving, self._is_fetching)

        async def put_back(job_id: int) -> None:
            await self.job_manager.put_back(job_id, worker_id)

        return [
            *(work(pool, settings) for work in BESIDE),
            claims.keep_claims(pool, settings, process, put_back),
        ]

    @contextlib.contextmanager
    def serving(self, worker: Worker) -> Iterator[None]:
        """Count a worker of Procrastinate among those of this process while the block lasts."""
        self._serving.append(worker)
        try:
            yield
        finally:
            self._serving.remove(worker)

    def _is_fetching(self) -> bool:
        managers = [worker.app.job_manager for worker in self._serving]
        return any(isinstance(one, FencedJobManager) and one.fetching > 0 for one in managers)

    async def _tell_limit(self) -> bool:
        """Tells what the environment allows; whether there is a pooler, behind which nobody can listen."""
        async with pool_of(self).connection() as conn:
            await starts.tell_limit(conn, self.settings.starts_per_minute)
            return db.is_pooled(conn)


def pool_of(running: procrastinate.App) -> db.AsyncPool:
    """The pool of an open app, which its tasks share with the queue itself."""
    connector = running.connector
    assert isinstance(connector, procrastinate.PsycopgConnector)
    return connector.pool


def _settings() -> config.Settings:
    return config.load(os.environ)


def session_name(process: str, pid: int, host: str) -> str:
    """Return the name of a worker's sessions in Postgres, so that a rescue finds those of a frozen one.

    The process identifies it; process id and host are for people, and PostgreSQL cuts the name after 63
    bytes. The other half is ``end_sessions`` in rescue/rescue.sql.
    """
    return f"hrims worker {process[:12]} {pid} {host}"[:63]


def _conninfo() -> str:
    # Called when a pool opens: importing this module starts nothing and needs no database.
    name = session_name(beat.PROCESS, os.getpid(), platform.node())
    return make_conninfo(db.dsn_of(_settings()), application_name=name)


def _worker_defaults() -> Any:
    settings = _settings()
    return {
        "queues": [queue_of(settings.pool)],
        "concurrency": settings.concurrency,
        "update_heartbeat_interval": settings.beat_seconds,
        "shutdown_graceful_timeout": settings.stop_seconds,
        "fetch_job_polling_interval": 2.0,
        "abort_job_polling_interval": 2.0,
    }


app = QueueApp(
    connector=procrastinate.PsycopgConnector(
        conninfo=_conninfo,
        pool_factory=connection_pools.open_worker_pool,
        # A connection saves a few pages of a run: prepared is at the first use, not at the sixth.
        kwargs={"prepare_threshold": 0},
        min_size=WARM,
        max_size=_settings().concurrency + POOL_SPARE,
    ),
    import_paths=["hrims.sync.task", "hrims.webhooks.task", "hrims.schedules.task"],
    worker_defaults=_worker_defaults(),
)
