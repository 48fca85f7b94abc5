"""Acting on a run that exists: cancel it, try it again, or begin anew; each with its audit record."""

import psycopg

from hrims.access.audit import Actor, record
from hrims.db import Connection
from hrims.errors import Conflict
from hrims.jobs import queue, store
from hrims.jobs.ask import Asked, ask, queue_run
from hrims.jobs.ask_person import ask_person
from hrims.jobs.attempts.patience import Patience

AFRESH = frozenset({"sync", "preview"})
"""Kinds of runs of an institution that can start again: they read a whole listing from HRIMS."""


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
            wish = store.wish(conn, run_id)
            if not looked_at and wish and wish.kind == "apply":
                raise Conflict(
                    "This run applies a preview: look at what it would change now, and apply it from there.",
                    "look_again",
                )
            if not store.reopen(conn, run_id):
                raise Conflict(
                    "Only a run that failed or was cancelled, and not long ago, can be tried again.",
                    "not_retryable",
                )
            queue_run(conn, run_id)
            record(conn, actor, "run.retry", f"run:{run_id}")
    except psycopg.errors.UniqueViolation:
        raise Conflict(
            "This institution has another run under way; nothing was changed.", "under_way"
        ) from None


def start_afresh(conn: Connection, actor: Actor, run_id: int) -> Asked:
    """Queue a new run of the same institution, identifier and page size as one that did not complete.

    It begins with the first page; what the other run saved, and its record, stay. Raises Conflict when that
    run is complete or under way, or of a kind that is asked for elsewhere, and as ``ask`` does.
    """
    wish = store.wish(conn, run_id)
    if wish is None or not (wish.state in {"failed", "cancelled"} or wish.outcome == "incomplete"):
        raise Conflict(
            "Only a failed, cancelled or incomplete run can be started again. Nothing was queued.",
            "not_retryable",
        )
    if wish.kind == "person":
        return ask_person(conn, actor, wish.identifier)
    if wish.kind not in AFRESH:
        raise Conflict(
            "A run of this kind goes on from where it stopped, or is asked for anew where it was asked for.",
            "not_afresh",
        )
    assert wish.institution_id is not None
    if there := store.under_way(conn, wish.institution_id):
        raise Conflict(
            f"This institution has another run under way, number {there[0]}. Nothing was queued.", "under_way"
        )
    return ask(
        conn,
        actor,
        institution_id=wish.institution_id,
        identifier_type=wish.identifier_type,
        identifier=wish.identifier,
        page_size=wish.page_size,
        priority=wish.priority,
        kind=wish.kind,
        patience=Patience(wish.attempts, wish.attempt_pause, wish.deadline_minutes),
    )
