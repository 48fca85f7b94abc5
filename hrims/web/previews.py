"""The screen of a preview: what it would change, row by row, and the buttons that apply it or throw it
away. What the API shows of it comes from here too.
"""

from collections.abc import Mapping
from dataclasses import replace
from http import HTTPStatus
from typing import Any, NamedTuple

from flask import Blueprint, redirect, render_template, request, url_for

from hrims.db import one_moment
from hrims.errors import InputError, NotFound
from hrims.follow.progress import Run
from hrims.jobs.store import UNDER_WAY
from hrims.previews import decide, store, sweep
from hrims.previews.difference import KINDS, Difference, Preview
from hrims.web.api import find
from hrims.web.fetch_data import to_card
from hrims.web.filters import Filter
from hrims.web.guard import actor
from hrims.web.parts import pool

blueprint = Blueprint("previews", __name__, url_prefix="/dashboard/admin/previews")

ROWS = 25
"""Rows of a table that the page shows at a time."""


class Shown(NamedTuple):
    """A preview as it is at one moment; ``now`` and ``rows`` only when there is a difference to show."""

    run: Run
    preview: Preview
    now: Difference | None
    filter: Filter
    rows: list[dict[str, Any]]
    more: bool
    since: list[str]


@blueprint.get("/<run_id>")
def index(run_id: str) -> str:
    """The page; while the preview is fetched, the card of its run."""
    return render_template("previews/index.html", **_context(run_id, request.args))


@blueprint.post("/<run_id>/apply")
def apply(run_id: str) -> Any:
    """A button: applies the difference that the page shows, or shows the current difference."""
    try:
        applied = apply_now(run_id, request.form.get("version", ""))
    except InputError as refused:
        return _refused(run_id, refused)
    return to_card("fetch_data.index", institution=applied.institution_id)


@blueprint.post("/<run_id>/discard")
def discard(run_id: str) -> Any:
    """A button: throws the preview away."""
    try:
        throw_away_now(run_id)
    except InputError as refused:
        return _refused(run_id, refused)
    return redirect(url_for(".index", run_id=run_id), code=HTTPStatus.SEE_OTHER)


class Applied(NamedTuple):
    """The run that applies, and whether it was under way already."""

    run_id: int
    institution_id: int
    institution: str
    deduplicated: bool


def apply_now(run_id: str, version: str) -> Applied:
    """Queues the run that applies a preview. Raises InputError."""
    with pool().connection() as conn:
        run = find(conn, run_id)
    wanted = decide.Wanted(
        run.id,
        run.state,
        run.institution_id or 0,
        run.institution,
        run.identifier_type,
        run.identifier,
        run.page_size,
    )
    with pool().connection() as conn:
        asked = decide.apply(conn, actor(), wanted, version)
    return Applied(asked.run_id, wanted.institution_id, run.institution, asked.deduplicated)


def throw_away_now(run_id: str) -> None:
    """Throws a preview away, and deletes what it kept. Raises InputError."""
    with pool().connection() as conn:
        run = find(conn, run_id)
    with pool().connection() as conn:
        decide.throw_away(conn, actor(), run.id)
    with pool().connection() as conn:
        sweep.delete_people(conn, run.id)


def look(run_id: str, filter_: Filter, *, any_kind: bool = False) -> Shown:
    """A preview and the rows that the filter asks for, all of one moment; with ``any_kind`` those of the
    first kind that has some. Raises InputError.
    """
    with pool().connection() as conn:
        one_moment(conn)
        run = find(conn, run_id)
        preview = store.read(conn, run.id)
        if preview is None:
            raise NotFound("This run is no preview.", "no_preview")
        if run.state != "completed" or not preview.is_kept or preview.application_state in UNDER_WAY:
            return Shown(run, preview, None, filter_, [], more=False, since=[])
        now = store.difference(conn, run.id)
        if any_kind:
            filled = (kind for kind in KINDS if getattr(now, kind))
            filter_ = replace(filter_, kind=next(filled, filter_.kind))
        rows = store.entries(conn, run.id, filter_.kind, filter_.most, filter_.skip)
    more = len(rows) > filter_.size
    return Shown(run, preview, now, filter_, rows[: filter_.size], more, preview.changes_since(now))


def _refused(run_id: str, refused: InputError) -> Any:
    if refused.status in {HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST}:
        raise refused
    return render_template("previews/index.html", **_context(run_id, {}, str(refused))), refused.status


def _context(run_id: str, args: Mapping[str, str], refused: str | None = None) -> dict[str, Any]:
    wished = Filter.read("previews.index", args, KINDS, ROWS, run_id=run_id)
    shown = look(run_id, wished, any_kind="kind" not in args)
    return {
        **shown._asdict(),
        "kinds": KINDS,
        "counts": shown.now._asdict() if shown.now else {},
        "refused": refused,
        "people": [],
        "rejects": [],
    }
