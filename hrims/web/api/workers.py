"""The API of workers and pools."""

from typing import Any

from hrims.db import use_snapshot
from hrims.jobs.workers import store
from hrims.jobs.workers.store import Pool
from hrims.web.core import serializers
from hrims.web.core.app_state import pool


def index() -> dict[str, Any]:
    """Return workers, living ones first, and pools."""
    with pool().connection() as conn:
        use_snapshot(conn)
        return {
            "success": True,
            "workers": [_serialize_worker(item) for item in store.list_workers(conn, store.MAX_LISTED)],
            "pools": [_serialize_pool(item) for item in store.list_pools(conn)],
        }


def _serialize_worker(worker: store.Worker) -> dict[str, Any]:
    return {
        "id": worker.worker_id,
        "host": worker.host,
        "process": worker.pid,
        "version": worker.version,
        "pool": worker.pool,
        "capacity": worker.capacity,
        "alive": worker.alive,
        "beganAt": serializers.time(worker.began_at),
        "lastBeatAt": serializers.time(worker.last_beat),
        "endedAt": serializers.time(worker.ended_at),
        "address": worker.address,
        "notAsked": worker.not_asked,
        "jobIds": [str(run_id) for run_id in worker.runs],
    }


def _serialize_pool(pool_: Pool) -> dict[str, Any]:
    return {
        "name": pool_.name,
        "workers": pool_.workers,
        "institutions": pool_.institutions,
        "runs": pool_.runs,
        "deserted": pool_.has_no_worker,
    }
