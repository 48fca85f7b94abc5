"""Actions of users on the queue and on waiting runs. Each writes an audit record."""

from typing import Annotated

from msgspec import Meta

from hrims.access.actor import Actor
from hrims.access.audit import record
from hrims.db import Connection
from hrims.errors import Conflict
from hrims.jobs.rate_limit import store
from hrims.jobs.rate_limit.priorities import PRIORITIES
from hrims.validation import to_single_line

StartsPerMinute = Annotated[int, Meta(ge=1, le=10_000, extra={"code": "bad_limit"})]

PauseReason = Annotated[
    str,
    Meta(
        min_length=1,
        max_length=500,
        extra={
            "prepare": to_single_line,
            "expected": "1 to 500 characters that say why; all users see it",
            "code": "no_reason",
        },
    ),
]


def pause(conn: Connection, actor: Actor, why: str) -> None:
    """Pause the queue: no run starts, active runs continue. Raises Conflict if it is paused already."""
    with conn.transaction():
        if not store.pause(conn, actor.name, why):
            raise Conflict("The queue is paused already. Nothing was changed.", "paused")
        record(conn, actor, "queue.pause", "queue", reason=why)


def resume(conn: Connection, actor: Actor) -> None:
    """Resume the queue. Raises Conflict if it is not paused."""
    with conn.transaction():
        if not store.resume(conn):
            raise Conflict("The queue is not paused. Nothing was changed.", "not_paused")
        record(conn, actor, "queue.resume", "queue")


def set_limit(conn: Connection, actor: Actor, starts_per_minute: int | None) -> None:
    """Set how many runs may start in a minute. None restores HRIMS_STARTS_PER_MINUTE."""
    with conn.transaction():
        before = store.set_limit(conn, starts_per_minute)
        record(conn, actor, "queue.limit", "queue", before=before, after=starts_per_minute)


def set_priority(conn: Connection, actor: Actor, run_id: int, priority: str) -> None:
    """Set the priority of a waiting run. Raises Conflict if the run is not waiting."""
    with conn.transaction():
        before = store.set_priority(conn, run_id, priority, PRIORITIES[priority])
        if before is None:
            raise Conflict("Only a run that waits can be made more or less urgent.", "not_waiting")
        record(conn, actor, "run.priority", f"run:{run_id}", before=before, after=priority)
