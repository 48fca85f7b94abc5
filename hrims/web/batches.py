"""The screen of batches: asking for many runs at once, how each batch stands, its grid of institutions, and
its buttons.
"""

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.datastructures import MultiDict

from hrims.access.audit import Actor
from hrims.batches import ask, store
from hrims.batches.standing import STATES
from hrims.db import Connection, one_moment
from hrims.errors import InputError, InvalidInput
from hrims.jobs.ask import PAGE_SIZE
from hrims.jobs.starts import store as starts
from hrims.jobs.starts.priorities import NORMAL, PRIORITIES
from hrims.numbers import whole
from hrims.register import store as register
from hrims.web.fetch_data import STOP_POLLING
from hrims.web.filters import Filter
from hrims.web.guard import actor
from hrims.web.parts import pool

blueprint = Blueprint("batches", __name__, url_prefix="/dashboard/admin/batches")

RECENT = 10
"""Batches that the page lists at a time."""

CELLS = 200
"""Institutions of a batch that its grid shows at a time."""

KINDS = ("all", *STATES)


@blueprint.get("")
def index() -> str:
    """The page: a form, and the latest batches."""
    return render_template("batches/index.html", **_list(request.args))


@blueprint.post("")
def ask_for() -> Any:
    """A button: asks for the runs and leads to the batch."""
    form = request.form
    try:
        check_ticks(form)
        with pool().connection() as conn:
            asked = ask.ask(
                conn,
                actor(),
                form.get("wish", ""),
                institutions=[whole(one) for one in form.getlist("institution")],
                identifier_type=form.get("identifier_type") or None,
                page_size=whole(form.get("page_size") or str(PAGE_SIZE)),
                priority=form.get("priority") or NORMAL,
            )
    except InputError as refused:
        return render_template("batches/index.html", **_list(form, str(refused))), refused.status
    return redirect(url_for(".batch", batch_id=asked.batch_id), code=HTTPStatus.SEE_OTHER)


@blueprint.get("/<batch_id>")
def batch(batch_id: str) -> str:
    """One batch: its progress, and its institutions in a grid."""
    return render_template("batches/batch.html", **_one(batch_id))


@blueprint.get("/<batch_id>/standing")
def standing(batch_id: str) -> Any:
    """A fragment: progress and grid; status 286 once all of it has ended, which ends the polling."""
    shown = _one(batch_id)
    part = render_template("batches/_standing.html", **shown)
    return make_response(part, STOP_POLLING if shown["total"].ended else HTTPStatus.OK)


@blueprint.post("/<batch_id>/retry")
def retry(batch_id: str) -> Any:
    """A button: tries the failed runs again."""
    return _act(batch_id, ask.retry)


@blueprint.post("/<batch_id>/cancel")
def cancel(batch_id: str) -> Any:
    """A button: cancels what the batch asked for and is under way."""
    return _act(batch_id, ask.cancel)


def check_ticks(form: MultiDict[str, str]) -> None:
    """Raises InvalidInput when institutions are ticked and others are asked for: which are meant?"""
    ticked = len(form.getlist("institution"))
    if ticked and form.get("wish") != "selection":
        raise InvalidInput(
            f"{ticked:,} ticked, but not “Those that are chosen below”. Choose that, or untick them. "
            "Nothing was changed.",
            "which_institutions",
        )


def _act(batch_id: str, deed: Callable[[Connection, Actor, int], int]) -> Any:
    try:
        with pool().connection() as conn:
            deed(conn, actor(), whole(batch_id))
    except InputError as refused:
        if refused.status == HTTPStatus.NOT_FOUND:
            raise
        return render_template(
            "batches/batch.html", **(_one(batch_id) | {"refused": str(refused)})
        ), refused.status
    return redirect(url_for(".batch", batch_id=batch_id), code=HTTPStatus.SEE_OTHER)


def _list(given: Mapping[str, str], refused: str | None = None) -> dict[str, Any]:
    filter_ = Filter.read("batches.index", request.args, ("all",), RECENT)
    with pool().connection() as conn:
        one_moment(conn)
        found = store.recent(conn, filter_.most, filter_.skip)
        chosen = request.form.getlist("institution")
        return {
            "institutions": register.institutions(conn),
            "chosen": chosen,
            "batches": [(one, store.total(conn, one.id)) for one in found[: filter_.size]],
            "more": len(found) > filter_.size,
            "filter": filter_,
            "priorities": list(PRIORITIES),
            "page_size": given.get("page_size") or PAGE_SIZE,
            "given": given,
            "refused": refused,
        }


def _one(batch_id: str) -> dict[str, Any]:
    filter_ = Filter.read("batches.batch", request.args, KINDS, CELLS, batch_id=batch_id)
    with pool().connection() as conn:
        one_moment(conn)
        found = ask.find(conn, whole(batch_id))
        state = None if filter_.kind == "all" else filter_.kind
        members = store.members(conn, found.id, state, filter_.most, filter_.skip)
        total = store.total(conn, found.id)
        queue = starts.read(conn)
    counts = {kind: total.institutions if kind == "all" else getattr(total, kind) for kind in KINDS}
    return {
        "batch": found,
        "total": total,
        "queue": queue,
        "members": members[: filter_.size],
        "more": len(members) > filter_.size,
        "filter": filter_,
        "kinds": [kind for kind in KINDS if counts[kind] or kind == filter_.kind],
        "counts": counts,
        "refused": None,
    }
