"""The page of leavers: waiting departures, recent ones, and the buttons."""

from collections.abc import Callable
from typing import Any

from flask import render_template

from hrims.access.actor import Actor
from hrims.approvals import actions as approvals
from hrims.db import Connection
from hrims.leavers import actions, store
from hrims.queries import ListQuery
from hrims.web.core import lookups
from hrims.web.core.actions import perform, see_other, to
from hrims.web.core.app_state import pool
from hrims.web.core.guard import actor, mask, scope
from hrims.web.core.paging import Filter

FIRST_NAMES = 5
"""People of a departure that the page names before it links to all."""

ROWS = 100
"""People of a departure on one page."""


def index() -> str:
    """Show the page."""
    return render_template("leavers/index.html", **_context())


def show(departure_id: str, query: ListQuery) -> str:
    """Show one departure with all its people, page by page."""
    filter_ = Filter("leavers.show", ROWS, query.page, params={"departure_id": departure_id})
    with pool().connection() as conn:
        departure = lookups.find_departure(conn, departure_id)
        found = store.list_people(conn, scope(), departure.id, filter_.limit, filter_.offset)
        hidden = store.count_hidden(conn, scope(), departure.id)
    people = filter_.take(mask().rows(found))
    return render_template(
        "leavers/departure.html", departure=departure, people=people, hidden=hidden, filter=filter_
    )


def approve(departure_id: str) -> Any:
    """Handle a button: approve a departure, as a second person."""
    return _decide(departure_id, actions.approve)


def refuse(departure_id: str) -> Any:
    """Handle a button: refuse a departure."""
    return _decide(departure_id, actions.refuse)


def undo(departure_id: str) -> Any:
    """Handle a button: undo a departure, or request it if the departure needed an approval."""
    return perform(
        lambda conn: approvals.undo_leavers(conn, actor(), lookups.find_departure(conn, departure_id).id),
        then=lambda result: see_other("approvals.index" if result.waits else ".index"),
        page=lambda refused: render_template("leavers/index.html", **_context(refused)),
    )


def _decide(departure_id: str, decision: Callable[[Connection, Actor, int], Any]) -> Any:
    return perform(
        lambda conn: decision(conn, actor(), lookups.find_departure(conn, departure_id).id),
        then=to(".index"),
        page=lambda refused: render_template("leavers/index.html", **_context(refused)),
    )


def _context(refused: str | None = None) -> dict[str, Any]:
    with pool().connection() as conn:
        waiting, recent = store.list_waiting(conn, scope()), store.list_recent(conn, scope(), store.RECENT)
        first = {
            departure.id: mask().rows(store.list_people(conn, scope(), departure.id, FIRST_NAMES))
            for departure in (*waiting, *recent)
        }
    return {"waiting": waiting, "recent": recent, "first": first, "refused": refused}
