"""The page of batches: start a batch, its progress, its grid of institutions, and its buttons."""

from http import HTTPStatus
from typing import Any

from flask import make_response, redirect, render_template, request, url_for

from hrims.approvals import actions as approvals
from hrims.batches import actions, store
from hrims.batches.progress import STATES
from hrims.db import use_snapshot
from hrims.errors import InputError
from hrims.institutions import store as institution_store
from hrims.jobs.enqueue import PAGE_SIZE
from hrims.jobs.rate_limit import store as rate_limit
from hrims.jobs.rate_limit.priorities import PRIORITIES
from hrims.numbers import whole
from hrims.queries import ListQuery
from hrims.web.core import requests
from hrims.web.core.actions import perform, see_other, to
from hrims.web.core.app_state import pool
from hrims.web.core.bodies import BatchRequest
from hrims.web.core.forms import SelectionForm
from hrims.web.core.guard import actor, scope
from hrims.web.core.paging import Filter
from hrims.web.core.queries import BatchQuery
from hrims.web.pages.fetch_data import STOP_POLLING

RECENT = 10
"""Batches that the page lists at a time."""

CELLS = 200
"""Institutions of a batch that its grid shows at a time."""

KINDS = ("all", *STATES)


def index(query: ListQuery) -> str:
    """Show the page: a form and the latest batches."""
    return render_template("batches/index.html", **_list_context(query))


def create() -> Any:
    """Handle a button: enqueue the runs and redirect to the batch."""
    try:
        institutions = requests.read_form(SelectionForm).institutions
        fields = requests.read_form(BatchRequest, institutions=institutions)
        with pool().connection() as conn:
            result = actions.enqueue_batch(conn, actor(), **fields.parameters)
    except InputError as refused:
        context = _list_context(ListQuery(), str(refused))
        return render_template("batches/index.html", **context), refused.status
    return redirect(url_for(".show", batch_id=result.batch_id), code=HTTPStatus.SEE_OTHER)


def show(batch_id: str, query: BatchQuery) -> str:
    """Show one batch: its progress, and its institutions in a grid."""
    return render_template("batches/batch.html", **_batch_context(batch_id, query))


def show_progress(batch_id: str, query: BatchQuery) -> Any:
    """Show a fragment: progress and grid. Status 286 when the batch has ended, which stops the polling."""
    context = _batch_context(batch_id, query)
    fragment = render_template("batches/_progress.html", **context)
    return make_response(fragment, STOP_POLLING if context["total"].ended else HTTPStatus.OK)


def retry(batch_id: str) -> Any:
    """Handle a button: retry the failed runs."""
    return perform(
        lambda conn: actions.retry_batch(conn, actor(), whole(batch_id)),
        then=to(".show", batch_id=batch_id),
        page=lambda refused: _page(batch_id, refused),
    )


def cancel(batch_id: str) -> Any:
    """Handle a button: cancel the unfinished runs that the batch requested."""
    return perform(
        lambda conn: approvals.cancel_batch(conn, actor(), whole(batch_id)),
        then=lambda result: (
            see_other("approvals.index") if result.waits else see_other(".show", batch_id=batch_id)
        ),
        page=lambda refused: _page(batch_id, refused),
    )


def _page(batch_id: str, refused: str) -> str:
    return render_template(
        "batches/batch.html", **(_batch_context(batch_id, BatchQuery()) | {"refused": refused})
    )


def _list_context(query: ListQuery, refused: str | None = None) -> dict[str, Any]:
    filter_ = Filter("batches.index", RECENT, query.page)
    with pool().connection() as conn:
        use_snapshot(conn)
        batches = store.list_recent(conn, scope(), filter_.limit, filter_.offset)
        return {
            "institutions": institution_store.list_institutions(conn, scope()),
            "chosen": request.form.getlist("institution"),
            "batches": [
                (batch, store.find_total(conn, scope(), batch.id)) for batch in filter_.take(batches)
            ],
            "filter": filter_,
            "priorities": list(PRIORITIES),
            "page_size": request.form.get("page_size") or PAGE_SIZE,
            "given": request.form,
            "refused": refused,
        }


def _batch_context(batch_id: str, query: BatchQuery) -> dict[str, Any]:
    filter_ = Filter("batches.show", CELLS, query.page, query.kind, {"batch_id": batch_id})
    with pool().connection() as conn:
        use_snapshot(conn)
        batch = actions.find_batch(conn, scope(), whole(batch_id))
        members = store.list_members(conn, scope(), batch.id, query.state, filter_.limit, filter_.offset)
        total = store.find_total(conn, scope(), batch.id)
        queue = rate_limit.read_queue(conn)
    counts = {kind: total.institutions if kind == "all" else getattr(total, kind) for kind in KINDS}
    return {
        "batch": batch,
        "total": total,
        "queue": queue,
        "members": filter_.take(members),
        "filter": filter_,
        "kinds": [kind for kind in KINDS if counts[kind] or kind == filter_.kind],
        "counts": counts,
        "refused": None,
    }
