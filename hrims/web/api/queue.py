"""The API of the queue: its state for all users; pause, resume and limit for administrators."""

from typing import Any

from hrims.db import use_snapshot
from hrims.jobs.rate_limit import actions, store
from hrims.runs import store as runs
from hrims.web.core import serializers
from hrims.web.core.app_state import pool
from hrims.web.core.bodies import LimitRequest, PauseRequest
from hrims.web.core.guard import actor, scope

ROWS = 100
"""Runs in one response."""


def index() -> dict[str, Any]:
    """Return the state of the queue, and the first unfinished runs in the order in which they start."""
    with pool().connection() as conn:
        use_snapshot(conn)
        queue = store.read_queue(conn)
        unfinished = runs.list_unfinished(conn, scope(), ROWS, 0)
    return {
        "success": True,
        "paused": queue.paused_at is not None,
        "pausedAt": serializers.time(queue.paused_at),
        "pausedBy": queue.paused_by,
        "pausedWhy": queue.paused_why,
        "startsPerMinute": queue.starts_per_minute,
        "jobs": [serializers.status(run) for run in unfinished],
    }


def pause(body: PauseRequest) -> dict[str, Any]:
    """Pause the queue: no run starts until it is resumed. ``why`` is shown to all users."""
    with pool().connection() as conn:
        actions.pause(conn, actor(), body.why)
    return index()


def resume() -> dict[str, Any]:
    """Resume the queue."""
    with pool().connection() as conn:
        actions.resume(conn, actor())
    return index()


def set_limit(body: LimitRequest) -> dict[str, Any]:
    """Set how many runs start per minute. If ``startsPerMinute`` is null, the environment decides again."""
    with pool().connection() as conn:
        actions.set_limit(conn, actor(), body.starts_per_minute)
    return index()
