"""The queue for machines: how it stands for everybody; pausing it and its limit for administrators."""

from typing import Any

from flask import Blueprint

from hrims.db import one_moment
from hrims.follow import store as runs
from hrims.jobs.starts import decide, store
from hrims.web import answers, guard
from hrims.web.api import body
from hrims.web.guard import actor
from hrims.web.parts import pool

blueprint = Blueprint("queue_api", __name__, url_prefix="/api/hrims/queue")

ROWS = 100
"""Runs that one answer holds."""


@blueprint.get("")
def show() -> dict[str, Any]:
    """How the queue stands, and the first runs under way in the order in which they start."""
    with pool().connection() as conn:
        one_moment(conn)
        queue = store.read(conn)
        found = runs.under_way(conn, ROWS, 0)
    return {
        "success": True,
        "paused": queue.paused_at is not None,
        "pausedAt": answers.time(queue.paused_at),
        "pausedBy": queue.paused_by,
        "pausedWhy": queue.paused_why,
        "startsPerMinute": queue.starts_per_minute,
        "jobs": [answers.status(one) for one in found],
    }


@blueprint.post("/pause")
def pause() -> dict[str, Any]:
    """Nothing starts from now on: ``why`` is read by everybody who waits."""
    guard.administrators_only()
    why = body().get("why")
    with pool().connection() as conn:
        decide.pause(conn, actor(), why)
    return show()


@blueprint.post("/resume")
def resume() -> dict[str, Any]:
    """Runs start again."""
    guard.administrators_only()
    with pool().connection() as conn:
        decide.go_on(conn, actor())
    return show()


@blueprint.post("/limit")
def limit() -> dict[str, Any]:
    """``startsPerMinute`` runs start a minute; null leaves it to the environment again."""
    guard.administrators_only()
    # Left out is no wish; only null is the wish to leave it to the environment.
    wish = body().get("startsPerMinute", "")
    with pool().connection() as conn:
        decide.limit(conn, actor(), wish)
    return show()
