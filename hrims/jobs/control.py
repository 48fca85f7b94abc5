"""Actions on an existing run: cancel, retry, repeat. Each writes an audit record."""

import psycopg

from hrims.access.actor import Actor
from hrims.access.audit import record
from hrims.db import Connection
from hrims.errors import Conflict
from hrims.jobs import queue, store
from hrims.jobs.attempts.retry_policy import RetryPolicy
from hrims.jobs.enqueue import (
    EnqueueResult,
    check_queue_limit,
    enqueue_job,
    enqueue_run,
    requester_of,
)
from hrims.jobs.enqueue_person import enqueue_person

REPEATABLE = frozenset({"sync", "preview"})
"""Kinds of runs of an institution that can be repeated: they read a whole listing from HRIMS."""


def cancel(conn: Connection, actor: Actor, run_id: int) -> None:
    """Cancel an unfinished run. Its saved pages stay. A page in flight is fenced off and saves nothing.

    Raises Conflict if the run has ended.
    """
    with conn.transaction():
        job_id = store.cancel(conn, run_id)
        if job_id is None:
            raise Conflict("This run has ended already; there is nothing to cancel.", "ended")
        queue.app.job_manager.cancel_job_by_id(job_id, abort=True, connection=conn)
        record(conn, actor, "run.cancel", f"run:{run_id}")


def retry(conn: Connection, actor: Actor, run_id: int, *, has_seen_difference: bool = False) -> None:
    """Requeue a failed or cancelled run with all its attempts. It continues from its checkpoint.

    A run that applies a preview is requeued only if the user ``has_seen_difference``, the current one.

    Raises Conflict if the run has not failed and was not cancelled, or its institution has another unfinished
    run. Raises TooMany if the user has too many unfinished runs.
    """
    try:
        with conn.transaction():
            request = store.find_request(conn, run_id)
            if not has_seen_difference and request and request.kind == "apply":
                raise Conflict(
                    "This run applies a preview. Open the preview, check its difference, and apply it there.",
                    "look_again",
                )
            check_queue_limit(conn, actor)
            if not store.reopen(conn, run_id, requester_of(actor)):
                raise Conflict(
                    "Only a failed or cancelled run whose pages are still stored can be retried.",
                    "not_retryable",
                )
            enqueue_job(conn, run_id)
            record(conn, actor, "run.retry", f"run:{run_id}")
    except psycopg.errors.UniqueViolation:
        raise Conflict(
            "This institution has another run under way; nothing was changed.", "under_way"
        ) from None


def repeat_run(conn: Connection, actor: Actor, run_id: int) -> EnqueueResult:
    """Enqueue a new run with the same institution, identifier and page size as an incomplete one.

    It begins with the first page. The other run, and the pages that it saved, stay. Raises Conflict if that
    run is complete or unfinished, if its kind cannot be repeated, and like ``enqueue_run``.
    """
    request = store.find_request(conn, run_id)
    if request is None or not (request.state in {"failed", "cancelled"} or request.outcome == "incomplete"):
        raise Conflict(
            "Only a failed, cancelled or incomplete run can be started again. Nothing was queued.",
            "not_retryable",
        )
    if request.kind == "person":
        return enqueue_person(conn, actor, request.identifier)
    if request.kind not in REPEATABLE:
        raise Conflict(
            "A run of this kind cannot be started again. Retry it, or request it again on its own page.",
            "not_afresh",
        )
    assert request.institution_id is not None
    if unfinished := store.find_unfinished(conn, request.institution_id):
        raise Conflict(
            f"This institution has another run under way, number {unfinished[0]}. Nothing was queued.",
            "under_way",
        )
    return enqueue_run(
        conn,
        actor,
        institution_id=request.institution_id,
        identifier_type=request.identifier_type,
        identifier=request.identifier,
        page_size=request.page_size,
        priority=request.priority,
        kind=request.kind,
        retry_policy=RetryPolicy(request.attempts, request.attempt_pause, request.deadline_minutes),
    )
