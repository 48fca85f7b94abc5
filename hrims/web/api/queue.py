"""The API of the queue: its state for all users; pause, resume and limit for administrators."""

from hrims.db import use_snapshot
from hrims.jobs.rate_limit import actions, store
from hrims.runs import store as runs
from hrims.web.api.run_bodies import RunStatus
from hrims.web.core.app_state import pool
from hrims.web.core.bodies import LimitRequest, PauseRequest
from hrims.web.core.guard import actor, scope
from hrims.web.core.responses import SuccessBody, Timestamp
from hrims.web.core.serializers import time

ROWS = 100
"""Runs in one response."""


class QueueBody(SuccessBody):
    """The state of the queue, and the first unfinished runs in the order in which they start."""

    paused: bool
    paused_at: Timestamp | None
    paused_by: str | None
    paused_why: str | None
    starts_per_minute: int
    jobs: list[RunStatus]


def index() -> QueueBody:
    """Return the state of the queue, and the first unfinished runs in the order in which they start."""
    with pool().connection() as conn:
        use_snapshot(conn)
        queue = store.read_queue(conn)
        unfinished = runs.list_unfinished(conn, scope(), ROWS, 0)
    return QueueBody(
        paused=queue.paused_at is not None,
        paused_at=time(queue.paused_at),
        paused_by=queue.paused_by,
        paused_why=queue.paused_why,
        starts_per_minute=queue.starts_per_minute,
        jobs=[RunStatus.of(run) for run in unfinished],
    )


def pause(body: PauseRequest) -> QueueBody:
    """Pause the queue: no run starts until it is resumed. ``why`` is shown to all users."""
    with pool().connection() as conn:
        actions.pause(conn, actor(), body.why)
    return index()


def resume() -> QueueBody:
    """Resume the queue."""
    with pool().connection() as conn:
        actions.resume(conn, actor())
    return index()


def set_limit(body: LimitRequest) -> QueueBody:
    """Set how many runs start per minute. If ``startsPerMinute`` is null, the environment decides again."""
    with pool().connection() as conn:
        actions.set_limit(conn, actor(), body.starts_per_minute)
    return index()
