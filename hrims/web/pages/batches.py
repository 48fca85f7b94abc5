"""The page of batches: start a batch, its progress, its grid of institutions, and its buttons."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import make_response, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from hrims.batches import actions, store
from hrims.batches.progress import STATES
from hrims.db import use_snapshot
from hrims.errors import InputError, InvalidInput
from hrims.institutions import store as institution_store
from hrims.jobs.enqueue import PAGE_SIZE
from hrims.jobs.rate_limit import store as rate_limit
from hrims.jobs.rate_limit.priorities import PRIORITIES
from hrims.numbers import whole
from hrims.web.core import requests
from hrims.web.core.actions import perform, to
from hrims.web.core.app_state import pool
from hrims.web.core.bodies import BatchRequest
from hrims.web.core.guard import actor
from hrims.web.core.paging import Filter
from hrims.web.pages.fetch_data import STOP_POLLING

RECENT = 10
"""Batches that the page lists at a time."""

CELLS = 200
"""Institutions of a batch that its grid shows at a time."""

KINDS = ("all", *STATES)


def index() -> str:
    """Show the page: a form and the latest batches."""
    return render_template("batches/index.html", **_list_context(request.args))


def create() -> Any:
    """Handle a button: enqueue the runs and redirect to the batch."""
    form = request.form
    try:
        fields = requests.read_form(BatchRequest, institutions=read_selection(form))
        with pool().connection() as conn:
            result = actions.enqueue_batch(conn, actor(), **fields.parameters)
    except InputError as refused:
        return render_template("batches/index.html", **_list_context(form, str(refused))), refused.status
    return redirect(url_for(".show", batch_id=result.batch_id), code=HTTPStatus.SEE_OTHER)


def show(batch_id: str) -> str:
    """Show one batch: its progress, and its institutions in a grid."""
    return render_template("batches/batch.html", **_batch_context(batch_id))


def show_progress(batch_id: str) -> Any:
    """Show a fragment: progress and grid. Status 286 when the batch has ended, which stops the polling."""
    context = _batch_context(batch_id)
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
        lambda conn: actions.cancel_batch(conn, actor(), whole(batch_id)),
        then=to(".show", batch_id=batch_id),
        page=lambda refused: _page(batch_id, refused),
    )


def read_selection(form: MultiDict[str, str]) -> str | list[int]:
    """Return the selected institutions: ``all``, ``failed`` or ids.

    Raises InvalidInput if institutions are checked but another choice is selected, which is ambiguous.
    """
    checked = [whole(id_) for id_ in form.getlist("institution")]
    if form.get("wish") == "selection":
        return checked
    if checked:
        raise InvalidInput(
            f"{len(checked):,} checked, but “Selected institutions” is not selected. Select it, or uncheck "
            "them. Nothing was changed.",
            "which_institutions",
        )
    return form.get("wish", "")


def _page(batch_id: str, refused: str) -> str:
    return render_template("batches/batch.html", **(_batch_context(batch_id) | {"refused": refused}))


def _list_context(given: Mapping[str, str], refused: str | None = None) -> dict[str, Any]:
    filter_ = Filter.read("batches.index", request.args, ("all",), RECENT)
    with pool().connection() as conn:
        use_snapshot(conn)
        batches = store.list_recent(conn, filter_.limit, filter_.offset)
        selected = request.form.getlist("institution")
        return {
            "institutions": institution_store.list_institutions(conn),
            "chosen": selected,
            "batches": [(batch, store.find_total(conn, batch.id)) for batch in filter_.take(batches)],
            "filter": filter_,
            "priorities": list(PRIORITIES),
            "page_size": given.get("page_size") or PAGE_SIZE,
            "given": given,
            "refused": refused,
        }


def _batch_context(batch_id: str) -> dict[str, Any]:
    filter_ = Filter.read("batches.show", request.args, KINDS, CELLS, batch_id=batch_id)
    with pool().connection() as conn:
        use_snapshot(conn)
        batch = actions.find_batch(conn, whole(batch_id))
        state = None if filter_.kind == "all" else filter_.kind
        members = store.list_members(conn, batch.id, state, filter_.limit, filter_.offset)
        total = store.find_total(conn, batch.id)
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
