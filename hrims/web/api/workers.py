"""The API of workers and pools."""

from hrims.access.permissions import Permission
from hrims.db import use_snapshot
from hrims.jobs.workers import store
from hrims.jobs.workers.store import Pool
from hrims.web.core.app_state import pool
from hrims.web.core.guard import can, scope
from hrims.web.core.responses import JobId, ResponseBody, SuccessBody, Timestamp
from hrims.web.core.serializers import time, timestamp


class WorkerBody(ResponseBody):
    """A worker. ``notAsked`` is why it sends no requests to HRIMS.

    ``jobIds`` are the runs that it executes and the client may see; ``otherJobs`` counts the others. Only
    users who manage the connection see the ``address`` of HRIMS.
    """

    id: int
    host: str
    process: int
    version: str
    pool: str | None
    capacity: int
    alive: bool
    began_at: Timestamp
    last_beat_at: Timestamp
    ended_at: Timestamp | None
    address: str | None
    not_asked: str | None
    job_ids: list[JobId]
    other_jobs: int


class PoolBody(ResponseBody):
    """A pool. It is ``deserted`` if it has institutions or runs and no worker."""

    name: str | None
    workers: int
    institutions: int
    runs: int
    deserted: bool


class Workers(SuccessBody):
    """The workers, living ones first, and the pools."""

    workers: list[WorkerBody]
    pools: list[PoolBody]


def index() -> Workers:
    """Return workers, living ones first, and pools."""
    with pool().connection() as conn:
        use_snapshot(conn)
        return Workers(
            [_serialize_worker(item) for item in store.list_workers(conn, scope(), store.MAX_LISTED)],
            [_serialize_pool(item) for item in store.list_pools(conn)],
        )


def _serialize_worker(worker: store.Worker) -> WorkerBody:
    return WorkerBody(
        id=worker.worker_id,
        host=worker.host,
        process=worker.pid,
        version=worker.version,
        pool=worker.pool,
        capacity=worker.capacity,
        alive=worker.alive,
        began_at=timestamp(worker.began_at),
        last_beat_at=timestamp(worker.last_beat),
        ended_at=time(worker.ended_at),
        address=worker.address if can(Permission.MANAGE_CONNECTION) else None,
        not_asked=worker.not_asked,
        job_ids=[str(run_id) for run_id in worker.runs],
        other_jobs=worker.other_runs,
    )


def _serialize_pool(pool_: Pool) -> PoolBody:
    return PoolBody(pool_.name, pool_.workers, pool_.institutions, pool_.runs, pool_.has_no_worker)
