"""Decisions about a preview: apply or discard it. Each has its audit record, in one transaction."""

from typing import NamedTuple

import psycopg

from hrims.access.actor import Actor
from hrims.access.audit import record
from hrims.db import Connection
from hrims.errors import Conflict, NotFound
from hrims.jobs import control, enqueue
from hrims.jobs import store as jobs
from hrims.jobs.enqueue import EnqueueResult
from hrims.jobs.store import UNFINISHED
from hrims.previews import store
from hrims.previews.difference import Preview

CHANGED_SINCE = (
    "The employees have changed since this page was shown; here is the current difference. "
    "Nothing was applied. Check it and apply it again."
)

CHANGED_SINCE_READ = (
    "The employees have changed since this preview was read. Nothing was applied. "
    "Read it again, check the difference and apply its version."
)
"""The same for a client without a page, whose response shows no difference."""

EMPTIED_MESSAGES = {
    "applied": "This preview is applied already. Nothing was changed.",
    "thrown_away": "This preview was discarded. Start a new one. Nothing was changed.",
    "too_old": "This preview was too old and was emptied. Make a new one. Nothing was changed.",
}


class PreviewTarget(NamedTuple):
    """The list of a preview, as the run that applies it needs it."""

    run_id: int
    state: str
    institution_id: int
    institution: str
    identifier_type: str
    identifier: str
    page_size: int


def apply(conn: Connection, actor: Actor, target: PreviewTarget, version: str) -> EnqueueResult:
    """Enqueue the run that applies a preview. ``version`` is that of the difference that the user saw.

    A repeated request returns the first one's run. A run that failed or was cancelled is retried.

    Raises Conflict in these cases: the difference has changed, the preview was emptied or is not completed,
    or the institution has another run under way.
    """
    with conn.transaction():
        preview = _lock(conn, target.run_id)
        if preview.applied_by_run and preview.application_state in UNFINISHED:
            jobs.add_requester(conn, preview.applied_by_run, actor.user_id)
            return EnqueueResult(preview.applied_by_run, target.institution, deduplicated=True)
        _check_is_kept(preview)
        if target.state != "completed":
            raise Conflict("This preview has not ended; it cannot be applied yet.", "not_completed")
        if store.compare(conn, target.run_id).version != version:
            raise Conflict(CHANGED_SINCE if actor.via == "page" else CHANGED_SINCE_READ, "changed_since")
        run_id = _enqueue_apply(conn, actor, target, preview)
        store.save_approved_version(conn, run_id, version)
        record(conn, actor, "preview.apply", f"run:{target.run_id}", run=run_id, version=version)
        return EnqueueResult(run_id, target.institution, deduplicated=False)


def _enqueue_apply(conn: Connection, actor: Actor, target: PreviewTarget, preview: Preview) -> int:
    if preview.applied_by_run:
        control.retry(conn, actor, preview.applied_by_run, has_seen_difference=True)
        return preview.applied_by_run
    return enqueue.enqueue_run(
        conn,
        actor,
        institution_id=target.institution_id,
        identifier_type=target.identifier_type,
        identifier=target.identifier,
        page_size=target.page_size,
        kind="apply",
        of_run_id=target.run_id,
    ).run_id


def discard(conn: Connection, actor: Actor, run_id: int) -> None:
    """Discard a preview. Its run stays on the list; ``cleaner.delete_people`` deletes its employees.

    Raises Conflict if the preview is under way, is being applied, or was emptied already.
    """
    try:
        with conn.transaction():
            preview = _lock(conn, run_id)
            _check_is_kept(preview)
            if preview.application_state in UNFINISHED:
                raise Conflict("This preview is being applied just now. Nothing was changed.", "under_way")
            store.empty_preview(conn, run_id, "thrown_away")
            record(conn, actor, "preview.throw_away", f"run:{run_id}")
    except psycopg.errors.CheckViolation:
        raise Conflict("This preview is still under way. Cancel it first.", "under_way") from None


def _lock(conn: Connection, run_id: int) -> Preview:
    store.lock_preview(conn, run_id)
    preview = store.find_preview(conn, run_id)
    if preview is None:
        raise NotFound("This run is no preview.", "no_preview")
    return preview


def _check_is_kept(preview: Preview) -> None:
    if preview.emptied_why:
        raise Conflict(EMPTIED_MESSAGES[preview.emptied_why], preview.emptied_why)
