"""The page of a preview: what it would change, row by row, and the buttons to apply or discard it."""

from collections.abc import Mapping
from typing import Any, TypeVar

from flask import render_template, request

from hrims.previews.difference import KINDS
from hrims.web.core import previews
from hrims.web.core.actions import answer, to
from hrims.web.core.paging import Filter
from hrims.web.pages.fetch_data import to_card

T = TypeVar("T")

ROWS = 25
"""Rows of a table that the page shows at a time."""


def show(run_id: str) -> str:
    """Show the page; while the preview is fetched, the card of its run."""
    return render_template("previews/index.html", **_context(run_id, request.args))


def apply(run_id: str) -> Any:
    """Handle a button: apply the difference that the page shows. If it is outdated, show the current one."""
    return answer(
        lambda: previews.apply_preview(run_id, request.form.get("version", "")),
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
    return render_template("previews/index.html", **_context(run_id, {}, refused))


def _context(run_id: str, args: Mapping[str, str], refused: str | None = None) -> dict[str, Any]:
    filter_ = Filter.read("previews.show", args, KINDS, ROWS, run_id=run_id)
    shown = previews.find_preview(run_id, filter_, any_kind="kind" not in args)
    return {
        **shown._asdict(),
        "kinds": KINDS,
        "counts": shown.now._asdict() if shown.now else {},
        "refused": refused,
        "people": [],
        "rejects": [],
    }
