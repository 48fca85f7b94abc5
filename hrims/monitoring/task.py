"""What a worker does for its operator: it serves its metrics, and merges the counts of ends of runs."""

from functools import cache

from hrims import metrics
from hrims.config import Settings
from hrims.db import AsyncPool
from hrims.jobs.cleaner.store import try_lock
from hrims.monitoring import exposition, store
from hrims.monitoring.collector import BuildCollector
from hrims.resilience import run_periodically

POOL_SECONDS = 5.0
"""Seconds between two readings of the connection pool."""


async def run_metrics(pool: AsyncPool, settings: Settings) -> None:
    """Serve the metrics of this process, and read those of its connection pool, until cancelled."""
    serve_once(settings)

    async def read_pool() -> None:
        metrics.set_pool(pool.get_stats())

    await run_periodically("metrics", POOL_SECONDS, read_pool)


@cache
def serve_once(settings: Settings) -> int | None:
    """Serve the metrics once a process: a worker that starts again inside it keeps the port."""
    return exposition.serve(settings, [BuildCollector()])


async def merge_run_ends(pool: AsyncPool, _settings: Settings) -> None:
    """Merge the counts of equal ends of runs."""
    async with pool.connection() as conn:
        if await try_lock(conn, "run_end_counts"):
            await store.merge_run_ends(conn)
