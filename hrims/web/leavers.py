"""The screen of leavers: what waits for a second person, what was done lately, and the buttons."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from hrims.access.audit import Actor
from hrims.db import Connection
from hrims.errors import InputError, InvalidInput, NotFound
from hrims.leavers import decide
from hrims.leavers.shown import store
from hrims.numbers import whole
from hrims.web.filters import LAST_PAGE
from hrims.web.guard import actor
from hrims.web.parts import pool

blueprint = Blueprint("leavers", __name__, url_prefix="/dashboard/admin/leavers")

FIRST_NAMES = 5
"""People of a departure that the page names before it links to all."""

RECENT = 30
"""Departures that were decided or carried out lately."""

A_PAGE = 100
"""People of a departure on one page."""


@blueprint.get("")
def index() -> str:
    """The page."""
    return render_template("leavers/index.html", **_context())


@blueprint.get("/<departure_id>")
def departure(departure_id: str) -> str:
    """One departure with all its people, page by page."""
    page = whole(request.args.get("page"), LAST_PAGE) or 1
    with pool().connection() as conn:
        found = find(conn, departure_id)
        people = store.people(conn, found.id, A_PAGE + 1, (page - 1) * A_PAGE)
    return render_template(
        "leavers/departure.html", one=found, people=people[:A_PAGE], page=page, more=len(people) > A_PAGE
    )


@blueprint.post("/<departure_id>/approve")
def approve(departure_id: str) -> Any:
    """A button: a second person says that these people left."""
    return _act(departure_id, decide.approve)


@blueprint.post("/<departure_id>/refuse")
def refuse(departure_id: str) -> Any:
    """A button: nobody left."""
    return _act(departure_id, decide.refuse)


@blueprint.post("/<departure_id>/undo")
def undo(departure_id: str) -> Any:
    """A button: takes back what was done."""
    return _act(departure_id, decide.undo)


def find(conn: Connection, departure_id: str) -> store.Shown:
    """The departure with this number. Raises InvalidInput for what is no number, NotFound."""
    number = whole(departure_id)
    if not number:
        raise InvalidInput("The number of leavers is a whole number.", "bad_leavers_id")
    found = store.one(conn, number)
    if not found:
        raise NotFound("There are no leavers with this number.", "unknown_leavers")
    return found


def _act(departure_id: str, deed: Callable[[Connection, Actor, int], Any]) -> Any:
    try:
        with pool().connection() as conn:
            deed(conn, actor(), find(conn, departure_id).id)
    except InputError as refused:
        return render_template("leavers/index.html", **_context(str(refused))), refused.status
    return redirect(url_for("leavers.index"), code=HTTPStatus.SEE_OTHER)


def _context(refused: str | None = None) -> dict[str, Any]:
    with pool().connection() as conn:
        waiting, recent = store.waiting(conn), store.recent(conn, RECENT)
        first = {one.id: store.people(conn, one.id, FIRST_NAMES) for one in (*waiting, *recent)}
    return {"waiting": waiting, "recent": recent, "first": first, "refused": refused}
