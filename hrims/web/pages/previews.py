"""The page of a preview: what it would change, row by row, and the buttons to apply or discard it."""

from typing import Any

from flask import render_template

from hrims.previews.difference import KINDS
from hrims.web.core import previews, requests
from hrims.web.core.actions import answer, to
from hrims.web.core.forms import ApplyForm
from hrims.web.core.paging import Filter
from hrims.web.core.queries import PreviewQuery
from hrims.web.pages.fetch_data import to_card

ROWS = 25
"""Rows of a table that the page shows at a time."""


def show(run_id: str, query: PreviewQuery) -> str:
    """Show the page; while the preview is fetched, the card of its run."""
    return render_template("previews/index.html", **_context(run_id, query))


def apply(run_id: str) -> Any:
    """Handle a button: apply the difference that the page shows. If it is outdated, show the current one."""
    return answer(
        lambda: previews.apply_preview(run_id, requests.read_form(ApplyForm).version),
        then=lambda applied: to_card("fetch_data.index", institution=applied.institution_id),
        page=lambda refused: _page(run_id, refused),
    )


def discard(run_id: str) -> Any:
    """Handle a button: discard the preview."""
    return answer(
        lambda: previews.discard_preview(run_id),
        then=to(".show", run_id=run_id),
        page=lambda refused: _page(run_id, refused),
    )


def _page(run_id: str, refused: str) -> str:
    return render_template("previews/index.html", **_context(run_id, PreviewQuery(), refused))


def _context(run_id: str, query: PreviewQuery, refused: str | None = None) -> dict[str, Any]:
    filter_ = Filter("previews.show", ROWS, query.page, query.kind or KINDS[0], {"run_id": run_id})
    shown = previews.find_preview(run_id, filter_, any_kind=query.kind is None)
    return {
        **shown._asdict(),
        "kinds": KINDS,
        "counts": shown.now._asdict() if shown.now else {},
        "refused": refused,
        "people": [],
        "rejects": [],
    }
