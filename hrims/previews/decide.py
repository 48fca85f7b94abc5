"""Deciding on a preview: apply it or throw it away; each with its audit record, in one transaction."""

from typing import NamedTuple

import psycopg

from hrims.access.audit import Actor, record
from hrims.db import Connection
from hrims.errors import Conflict, NotFound
from hrims.jobs import ask, control
from hrims.jobs.ask import Asked
from hrims.jobs.store import UNDER_WAY
from hrims.previews import store
from hrims.previews.difference import Preview

CHANGED_SINCE = (
    "The employees have changed since this page was shown; here is the current difference. "
    "Nothing was applied. Look at it and apply it again."
)

NOT_KEPT = {
    "applied": "This preview is applied already. Nothing was changed.",
    "thrown_away": "This preview was thrown away. Make a new one. Nothing was changed.",
    "too_old": "This preview was too old and was emptied. Make a new one. Nothing was changed.",
}


class Wanted(NamedTuple):
    """Which listing a preview is of, as the run that applies it needs it."""

    run_id: int
    state: str
    institution_id: int
    institution: str
    identifier_type: str
    identifier: str
    page_size: int


def apply(conn: Connection, actor: Actor, wanted: Wanted, version: str) -> Asked:
    """Queues the run that applies a preview; ``version`` is that of the difference which was looked at. A
    second wish gets the first one's run; one that failed or was cancelled goes on.

    Raises Conflict when the difference is another one now, when the preview is not kept or not completed,
    or when the institution has another run under way.
    """
    with conn.transaction():
        preview = _held(conn, wanted.run_id)
        if preview.applied_by_run and preview.application_state in UNDER_WAY:
            return Asked(preview.applied_by_run, wanted.institution, deduplicated=True)
        _check_is_kept(preview)
        if wanted.state != "completed":
            raise Conflict("This preview has not ended; it cannot be applied yet.", "not_completed")
        if store.difference(conn, wanted.run_id).version != version:
            raise Conflict(CHANGED_SINCE, "changed_since")
        run_id = _queue(conn, actor, wanted, preview)
        store.approve(conn, run_id, version)
        record(conn, actor, "preview.apply", f"run:{wanted.run_id}", run=run_id, version=version)
        return Asked(run_id, wanted.institution, deduplicated=False)


def _queue(conn: Connection, actor: Actor, wanted: Wanted, preview: Preview) -> int:
    if preview.applied_by_run:
        control.retry(conn, actor, preview.applied_by_run, looked_at=True)
        return preview.applied_by_run
    return ask.ask(
        conn,
        actor,
        institution_id=wanted.institution_id,
        identifier_type=wanted.identifier_type,
        identifier=wanted.identifier,
        page_size=wanted.page_size,
        kind="apply",
        of_run_id=wanted.run_id,
    ).run_id


def throw_away(conn: Connection, actor: Actor, run_id: int) -> None:
    """Gives a preview up; its run stays on the list, ``sweep.delete_people`` deletes what it kept.

    Raises Conflict when it is under way, being applied, or not kept any more.
    """
    try:
        with conn.transaction():
            preview = _held(conn, run_id)
            _check_is_kept(preview)
            if preview.application_state in UNDER_WAY:
                raise Conflict("This preview is being applied just now. Nothing was changed.", "under_way")
            store.empty(conn, run_id, "thrown_away")
            record(conn, actor, "preview.throw_away", f"run:{run_id}")
    except psycopg.errors.CheckViolation:
        raise Conflict("This preview is still under way. Cancel it first.", "under_way") from None


def _held(conn: Connection, run_id: int) -> Preview:
    store.hold(conn, run_id)
    preview = store.read(conn, run_id)
    if preview is None:
        raise NotFound("This run is no preview.", "no_preview")
    return preview


def _check_is_kept(preview: Preview) -> None:
    if preview.emptied_why:
        raise Conflict(NOT_KEPT[preview.emptied_why], preview.emptied_why)
