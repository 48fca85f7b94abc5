"""Acting on a run that exists: cancel it, or try it again; each with its audit record."""

import psycopg

from hrims.access.audit import Actor, record
from hrims.db import Connection
from hrims.errors import Conflict
from hrims.jobs import queue, store
from hrims.jobs.ask import queue_run


def cancel(conn: Connection, actor: Actor, run_id: int) -> None:
    """Ends a run under way. What it saved stays; a page in flight is fenced off and saves nothing.

    Raises Conflict when the run is not under way.
    """
    with conn.transaction():
        job_id = store.cancel(conn, run_id)
        if job_id is None:
            raise Conflict("This run has ended already; there is nothing to cancel.", "ended")
        queue.app.job_manager.cancel_job_by_id(job_id, abort=True, connection=conn)
        record(conn, actor, "run.cancel", f"run:{run_id}")


def retry(conn: Connection, actor: Actor, run_id: int, *, looked_at: bool = False) -> None:
    """Gives a failed or cancelled run a full set of attempts; it goes on from its checkpoint. One that
    applies a preview does so only once the difference, as it is now, was ``looked_at``.

    Raises Conflict when the run is neither, or its institution has another run under way.
    """
    try:
        with conn.transaction():
            if not looked_at and store.kind(conn, run_id) == "apply":
                raise Conflict(
                    "This run applies a preview: look at what it would change now, and apply it from there.",
                    "look_again",
                )
            if not store.reopen(conn, run_id):
                raise Conflict("Only a run that failed or was cancelled can be tried again.", "not_retryable")
            queue_run(conn, run_id)
            record(conn, actor, "run.retry", f"run:{run_id}")
    except psycopg.errors.UniqueViolation:
        raise Conflict(
            "This institution has another run under way; nothing was changed.", "under_way"
        ) from None
