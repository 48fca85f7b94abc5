"""The Procrastinate app. Input: queued jobs. Output: executed tasks. All share one connection pool."""

import asyncio
import contextlib
import os
import platform
from collections.abc import Callable, Coroutine, Iterator, Sequence
from functools import partial
from typing import Any

import procrastinate
from procrastinate.jobs import JobDeferrer
from psycopg.conninfo import make_conninfo

from hrims import config, connection_pools, db, request_ids, resilience
from hrims.jobs import store
from hrims.jobs.job_manager import FencedJobManager, WorkerJobManager
from hrims.jobs.rate_limit import store as rate_limit
from hrims.jobs.rate_limit.priorities import PRIORITIES
from hrims.jobs.rate_limit.store import QueueParams
from hrims.jobs.rescuer import task as rescuer
from hrims.jobs.workers import background, claims, heartbeat
from hrims.jobs.workers.claims import Process
from hrims.jobs.workers.pools import queue_name
from hrims.jobs.workers.queue_worker import QueueWorker
from hrims.log import configure_queue_command, get_logger
from hrims.remote.connection.reader import ConnectionReader

RUN_TASK = "sync.run"

EXTRA_CONNECTIONS = 8
"""Connections in addition to those that save pages: to fetch and finish jobs, listen, rescue, deliver
webhooks, and write the heartbeat.
"""

MIN_CONNECTIONS = 4
"""Connections that stay open, so that a new run finds them with warm caches in Postgres."""

POLL_SECONDS = 2.0
"""Seconds between two polls of a worker. Behind a pooler, which prevents LISTEN, a job waits that long."""

MIN_WAIT = 0.1
"""Minimum number of seconds before a worker polls again for a job that should be due."""

log = get_logger(__name__)


def make_job(run_id: int, params: QueueParams, conn: db.Connection | db.AsyncConnection) -> JobDeferrer:
    """Return the job of a run, to be deferred on this connection, inside the caller's transaction."""
    return app.configure_task(
        RUN_TASK,
        queue=queue_name(params.pool),
        queueing_lock=f"run:{run_id}",
        priority=PRIORITIES[params.priority],
        connection=conn,
    )


async def queue_run(conn: db.AsyncConnection, run_id: int) -> None:
    """Enqueue a job for the run. For workers; all other processes use ``enqueue.enqueue_job``."""
    params = await rate_limit.find_queue_params_async(conn, run_id)
    job = make_job(run_id, params, conn)
    await store.link_job_async(conn, run_id, await job.defer_async(**arguments(run_id, params)))


def arguments(run_id: int, params: QueueParams) -> dict[str, Any]:
    """Return the arguments of a run's job. They hold no personal data."""
    request = {} if params.request_id is None else {request_ids.FIELD: params.request_id}
    return {"run_id": run_id, **request}


BackgroundTask = Callable[[db.AsyncPool, config.Settings], Coroutine[Any, Any, None]]
"""A function that runs beside the jobs of a worker until the worker stops."""


class QueueApp(procrastinate.App):
    """An app whose workers also run background tasks, the rescuer for example."""

    job_manager: FencedJobManager

    settings: config.Settings
    """The settings at the start of the worker."""

    connection: ConnectionReader
    """The connection to HRIMS, which users may change while the worker runs."""

    background_tasks: Sequence[BackgroundTask] = ()
    """Set by ``hrims.worker``."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job_manager = FencedJobManager(self.connector, self._wake_in)
        self._serving: list[QueueWorker] = []
        self._worker_now: QueueWorker | None = None
        self._waking: asyncio.TimerHandle | None = None

    @property
    def is_stopping(self) -> bool:
        """Whether the worker is stopping. Each run then hands back at its next safe point."""
        return self._worker_now is not None and self._worker_now.is_stopping

    def _wake_in(self, seconds: float) -> None:
        """Make the worker poll in ``seconds`` seconds, when a job is due: its regular polls are rare."""
        if self._waking:
            self._waking.cancel()
        if worker := self._worker_now:
            call_later = asyncio.get_running_loop().call_later
            self._waking = call_later(max(seconds, MIN_WAIT), worker.poll)

    async def run_worker_async(self, **kwargs: Any) -> None:
        """Run a worker and its background tasks under one worker id and one heartbeat.

        Raises BackgroundTaskEnded if one of them ends: the process must be restarted.
        """
        self.perform_import_paths()  # type: ignore[no-untyped-call] # untyped in Procrastinate
        settings = self.settings = _settings()
        if await resilience.retry_on_disconnect(self._publish_limit):
            log.info("pooler_found", poll_seconds=POLL_SECONDS)
            kwargs["listen_notify"] = False
        self.connection = ConnectionReader(get_pool(self), settings, logs_changes=True)
        async with heartbeat.registered(
            get_pool(self), settings, self.connection, partial(rescuer.record_heartbeat, settings)
        ) as registration:
            self.job_manager = WorkerJobManager(self.connector, registration.worker_id, self._wake_in)
            worker = self._worker_now = self.new_worker(**kwargs)
            _log_start(settings)
            with self.serving(worker):
                coroutines = self._background_tasks(registration.worker_id)
                tasks = [
                    asyncio.create_task(work, name=getattr(work, "__qualname__", None)) for work in coroutines
                ]
                await background.run_with_tasks(worker, [registration.heartbeat_task, *tasks])

    def _background_tasks(self, worker_id: int) -> list[Coroutine[Any, Any, None]]:
        pool, settings = get_pool(self), self.settings
        process = Process(worker_id, self._serving, self._is_fetching)

        async def put_back(job_id: int) -> None:
            await self.job_manager.put_back(job_id, worker_id)

        return [
            *(work(pool, settings) for work in self.background_tasks),
            claims.run_claim_check(pool, settings, process, put_back),
        ]

    def new_worker(self, **options: Any) -> QueueWorker:
        """Return a worker of this app. ``options`` override the app's defaults."""
        return QueueWorker(app=self, **{**self.worker_defaults, **options})

    @contextlib.contextmanager
    def serving(self, worker: QueueWorker) -> Iterator[None]:
        """Register a Procrastinate worker as one of this process during the block."""
        self._serving.append(worker)
        try:
            yield
        finally:
            self._serving.remove(worker)

    def _is_fetching(self) -> bool:
        managers = [worker.app.job_manager for worker in self._serving]
        return any(isinstance(item, FencedJobManager) and item.fetching > 0 for item in managers)

    async def _publish_limit(self) -> bool:
        """Save the rate limit of the environment. Return whether there is a pooler, which prevents LISTEN."""
        async with get_pool(self).connection() as conn:
            await rate_limit.publish_limit(conn, self.settings.starts_per_minute)
            return db.is_pooled(conn)


def _log_start(settings: config.Settings) -> None:
    log.info(
        "worker_started",
        pool=settings.pool,
        concurrency=settings.concurrency,
        pid=os.getpid(),
        host=platform.node(),
    )


def get_pool(running: procrastinate.App) -> db.AsyncPool:
    """Return the pool of an open app. Its tasks share the pool with the queue."""
    connector = running.connector
    assert isinstance(connector, procrastinate.PsycopgConnector)
    return connector.pool


def _settings() -> config.Settings:
    return config.load(os.environ)


def session_name(process: str, pid: int, host: str) -> str:
    """Return the application name of a worker's sessions, by which the rescuer finds those of a frozen
    worker.

    ``process`` identifies the worker. Process id and host are for people: PostgreSQL cuts the name after 63
    bytes. The counterpart is ``end_sessions`` in rescuer/rescue.sql.
    """
    return f"hrims worker {process[:12]} {pid} {host}"[:63]


def _conninfo() -> str:
    # Called when a pool opens, so that an import of this module starts nothing and needs no database.
    name = session_name(heartbeat.PROCESS_ID, os.getpid(), platform.node())
    return make_conninfo(db.dsn_of(_settings()), application_name=name)


def _worker_defaults() -> Any:
    settings = _settings()
    return {
        "queues": [queue_name(settings.pool)],
        "concurrency": settings.concurrency,
        "update_heartbeat_interval": settings.beat_seconds,
        "shutdown_graceful_timeout": settings.stop_seconds,
        "fetch_job_polling_interval": POLL_SECONDS,
        "abort_job_polling_interval": 2.0,
    }


configure_queue_command(_settings)

app = QueueApp(
    connector=procrastinate.PsycopgConnector(
        conninfo=_conninfo,
        pool_factory=connection_pools.open_worker_pool,
        # A connection saves only a few pages of a run. Prepare at the first use, not at the sixth.
        kwargs={"prepare_threshold": 0},
        min_size=MIN_CONNECTIONS,
        max_size=_settings().concurrency + EXTRA_CONNECTIONS,
    ),
    import_paths=["hrims.worker"],
    worker_defaults=_worker_defaults(),
)
