"""What a worker does for its operator: metrics, traces, error reports, and merged counts of ends of runs."""

from functools import cache

from hrims import error_reports, metrics, tracing
from hrims.config import Settings
from hrims.db import AsyncPool
from hrims.jobs.cleaner.store import try_lock
from hrims.monitoring import exposition, store
from hrims.monitoring.collector import BuildCollector
from hrims.resilience import run_periodically

POOL_SECONDS = 5.0
"""Seconds between two readings of the connection pool."""


async def run_metrics(pool: AsyncPool, settings: Settings) -> None:
    """Start metrics, traces and error reports, and read the connection pool, until cancelled."""
    start_once(settings)

    async def read_pool() -> None:
        metrics.set_pool(pool.get_stats())

    await run_periodically("metrics", POOL_SECONDS, read_pool)


@cache
def start_once(settings: Settings) -> None:
    """Start metrics, traces and error reports once a process. A worker that restarts inside it keeps them.

    Raises ConfigError if a setting needs a package that is not installed.
    """
    tracing.configure(settings, "worker")
    error_reports.configure(settings, "worker")
    exposition.serve(settings, [BuildCollector()])


async def merge_run_ends(pool: AsyncPool, _settings: Settings) -> None:
    """Merge the counts of equal ends of runs."""
    async with pool.connection() as conn:
        if await try_lock(conn, "run_end_counts"):
            await store.merge_run_ends(conn)
