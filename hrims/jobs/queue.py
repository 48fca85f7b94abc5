"""The Procrastinate app: queued jobs come in, executed tasks go out, on one pool of connections."""

import asyncio
import contextlib
import logging
import os
import platform
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from typing import Any

import procrastinate
from procrastinate import jobs as queue_jobs
from procrastinate import manager
from procrastinate.jobs import JobDeferrer
from procrastinate.worker import Worker
from psycopg.conninfo import make_conninfo

from hrims import config, db, steady
from hrims.jobs import store
from hrims.jobs.rescue import watch
from hrims.jobs.retention import prune
from hrims.jobs.starts import store as starts
from hrims.jobs.starts.priorities import PRIORITIES
from hrims.jobs.starts.store import Turn
from hrims.jobs.workers import beat
from hrims.jobs.workers.pools import has_runs, queue_of
from hrims.limits import breaker

RUN_TASK = "sync.run"

POOL_SPARE = 8
"""Connections beside those that save pages: fetching, beating, listening, finishing, rescuing, delivering."""

WARM = 4
"""Connections that stay open: a run that begins finds them, and what Postgres has learned on them, there."""

FORGOTTEN = 3600.0
"""Seconds of silence after which a worker that begins strikes others from the list. Who is dead, the watch
says: off the list they have no say in their jobs, and after the database was away all had been silent.
"""

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


BESIDE: list[Callable[[db.AsyncPool, config.Settings], Awaitable[None]]] = [
    partial(watch.keep_watch, queue_run),
    prune.keep_pruning,
    breaker.keep_probing,
]
"""What every worker does beside its runs, for ever; rooms above add theirs."""


class FencedJobManager(manager.JobManager):
    """Takes a run's job only when the run may start, and finishes or retries one only for the worker that
    holds it.

    Procrastinate's own knows no limit on starts and no pause, and asks neither for the worker nor for the
    attempt: one that was thought dead and comes back would end the job of its successor.
    """

    def __init__(self, connector: Any, wake_in: Callable[[float], None] | None = None) -> None:
        """``wake_in`` has the worker look for a job again in so many seconds."""
        super().__init__(connector=connector)
        self._wake_in = wake_in

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> queue_jobs.Job | None:
        names = None if queues is None else list(queues)
        if names is not None and not any(map(has_runs, names)):
            return await super().fetch_job(names, worker_id)
        # A worker that froze before its COMMIT would keep the lock on starts: the watch ends its session.
        row = await self.connector.execute_query_one_async(
            store.HELD["take"].decode(), queues=names, worker_id=worker_id
        )
        if row["id"] is not None:
            return queue_jobs.Job.from_row(row)
        waits = await self.connector.execute_query_one_async(
            store.HELD["next_start"].decode(), queues=names, worker_id=worker_id
        )
        if self._wake_in and waits["seconds"] is not None:
            self._wake_in(waits["seconds"])
        return None

    async def finish_job(self, job: queue_jobs.Job, status: queue_jobs.Status, delete_job: bool) -> None:
        await self._if_held(store.HELD["finish"].decode(), job, status=status.value, delete_job=delete_job)

    async def retry_job(
        self,
        job: queue_jobs.Job,
        retry_at: datetime | None = None,
        priority: int | None = None,
        queue: str | None = None,
        lock: str | None = None,
    ) -> None:
        at = retry_at or datetime.now(UTC)
        await self._if_held(
            store.HELD["retry"].decode(), job, retry_at=at, priority=priority, queue=queue, lock=lock
        )

    # A worker of Procrastinate's does not notice when it has stopped to beat, or to listen.

    async def update_heartbeat(self, worker_id: int) -> None:
        await steady.patiently(lambda: super(FencedJobManager, self).update_heartbeat(worker_id))

    async def listen_for_jobs(self, **given: Any) -> None:
        await steady.patiently(lambda: super(FencedJobManager, self).listen_for_jobs(**given))

    async def _if_held(self, statement: str, job: queue_jobs.Job, **given: Any) -> None:
        rows = await steady.patiently(
            lambda: self.connector.execute_query_all_async(
                statement, job_id=job.id, worker_id=job.worker_id, **given
            )
        )
        if not rows:
            log.warning("job %s was taken over; this worker leaves it alone", job.id)


class QueueApp(procrastinate.App):
    """An app whose every worker also looks for runs of workers that died."""

    settings: config.Settings
    """Those with which the worker began."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.job_manager = FencedJobManager(self.connector, self._wake_in)
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
        """Runs a worker, and beside it the rescuer, which is not a job and so needs no worker."""
        self.perform_import_paths()  # type: ignore[no-untyped-call] # untyped in Procrastinate
        settings = self.settings = _settings()
        if await steady.patiently(self._tell_limit):
            log.info("a pooler stands in front of the database: the worker looks for runs every two seconds")
            kwargs["listen_notify"] = False
        worker = self._worker_now = self._worker(**kwargs)
        async with contextlib.AsyncExitStack() as beside:
            for care in BESIDE:
                await beside.enter_async_context(_beside(care(pool_of(self), settings)))
            await beside.enter_async_context(_beside(self._keep_beating(worker)))
            await beside.enter_async_context(
                beat.written_down(pool_of(self), settings, lambda: worker.worker_id)
            )
            await worker.run()  # type: ignore[no-untyped-call] # untyped in Procrastinate

    async def _tell_limit(self) -> bool:
        """Tells what the environment allows; whether there is a pooler, behind which nobody can listen."""
        async with pool_of(self).connection() as conn:
            await starts.tell_limit(conn, self.settings.starts_per_minute)
            return db.is_pooled(conn)

    async def _keep_beating(self, worker: Worker) -> None:
        """Procrastinate's worker falls silent as soon as it is asked to stop; one that still saves
        its last page would be thought dead.
        """
        while True:
            await asyncio.sleep(worker.update_heartbeat_interval)
            if worker.worker_id is not None:
                await self.job_manager.update_heartbeat(worker.worker_id)


def pool_of(running: procrastinate.App) -> db.AsyncPool:
    """The pool of an open app, which its tasks share with the queue itself."""
    connector = running.connector
    assert isinstance(connector, procrastinate.PsycopgConnector)
    return connector.pool


@contextlib.asynccontextmanager
async def _beside(work: Any) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    task.add_done_callback(_say_if_it_died)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError, Exception):
            await task


def _say_if_it_died(task: asyncio.Task[Any]) -> None:
    """What runs beside a worker never ends by itself; if it does, runs go on, and the log says so."""
    if not task.cancelled() and (reason := task.exception()):
        log.error("what runs beside the worker has died", exc_info=reason)


def _settings() -> config.Settings:
    return config.load(os.environ)


def session_name(host: str, pid: int) -> str:
    """How a worker's sessions are called in Postgres, so that a rescue finds those of a frozen one.

    The other half is ``end_sessions`` in rescue/rescue.sql.
    """
    return f"hrims worker {pid} {host}"[:63]


def _conninfo() -> str:
    # Called when a pool opens: importing this module starts nothing and needs no database.
    return make_conninfo(db.dsn_of(_settings()), application_name=session_name(platform.node(), os.getpid()))


def _worker_defaults() -> Any:
    settings = _settings()
    return {
        "queues": [queue_of(settings.pool)],
        "concurrency": settings.concurrency,
        "update_heartbeat_interval": settings.beat_seconds,
        "stalled_worker_timeout": FORGOTTEN,
        "shutdown_graceful_timeout": settings.stop_seconds,
        "fetch_job_polling_interval": 2.0,
        "abort_job_polling_interval": 2.0,
    }


app = QueueApp(
    connector=procrastinate.PsycopgConnector(
        conninfo=_conninfo,
        pool_factory=db.open_worker_pool,
        # A connection saves a few pages of a run: prepared is at the first use, not at the sixth.
        kwargs={"prepare_threshold": 0},
        min_size=WARM,
        max_size=_settings().concurrency + POOL_SPARE,
    ),
    import_paths=["hrims.sync.task", "hrims.webhooks.task", "hrims.schedules.task"],
    worker_defaults=_worker_defaults(),
)
