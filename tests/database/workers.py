"""Workers whose heartbeat has expired, and the state of their jobs and runs."""

from typing import Any

from procrastinate.jobs import Job

from hrims.db import Connection
from hrims.jobs.job_manager import FencedJobManager
from tests.database.runs import register_worker

SILENT_SECONDS = 20.0


async def take_job(manager: FencedJobManager, conn: Connection) -> Job:
    """Register a worker and return the next job, which is assigned to it."""
    job = await manager.fetch_job(queues=None, worker_id=register_worker(conn))
    assert job
    return job


def expire_heartbeats(conn: Connection) -> None:
    """Make the heartbeat of every worker expire."""
    conn.execute("UPDATE workers SET last_beat = now() - interval '1 hour'")


def run_state(conn: Connection) -> Any:
    """Return (state, rescues, error code) of the only run."""
    return conn.execute("SELECT state, rescues, trouble_code FROM runs").fetchone()


def job_status(conn: Connection) -> Any:
    """Return (status,) of the only job."""
    return conn.execute("SELECT status::text FROM procrastinate_jobs").fetchone()
