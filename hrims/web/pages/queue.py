"""The page of the queue: the unfinished runs, when the waiting ones start and why they wait.

Administrators have buttons to pause the queue and to set how many runs start per minute.
"""

from typing import Any

from flask import render_template, request

from hrims.db import Connection, use_snapshot
from hrims.jobs.rate_limit import actions, store
from hrims.jobs.rate_limit.priorities import PRIORITIES
from hrims.jobs.store import count_unfinished
from hrims.queries import ListQuery
from hrims.runs import store as runs
from hrims.web.core import lookups, requests
from hrims.web.core.actions import perform, to
from hrims.web.core.app_state import pool
from hrims.web.core.bodies import PauseRequest, PriorityRequest
from hrims.web.core.forms import LimitForm
from hrims.web.core.guard import actor, scope
from hrims.web.core.paging import Filter

ROWS = 25
"""Runs that the page shows at a time."""


def index(query: ListQuery) -> str:
    """Show the page."""
    return render_template("queue/index.html", **_context(query))


def show_runs(query: ListQuery) -> str:
    """Show a fragment: the unfinished runs."""
    return render_template("queue/_runs.html", **_context(query))


def pause() -> Any:
    """Handle a button: pause the queue."""
    return perform(
        lambda conn: actions.pause(conn, actor(), requests.read_form(PauseRequest).why),
        then=to(".index"),
        page=_page,
    )


def resume() -> Any:
    """Handle a button: resume the queue."""
    return perform(lambda conn: actions.resume(conn, actor()), then=to(".index"), page=_page)


def set_limit() -> Any:
    """Handle a button: set how many runs start per minute. If the field is empty, the environment decides."""
    return perform(
        lambda conn: actions.set_limit(conn, actor(), requests.read_form(LimitForm).starts),
        then=to(".index"),
        page=_page,
    )


def set_priority(run_id: str) -> Any:
    """Handle a button: set the priority of a waiting run."""

    def set_of_run(conn: Connection) -> None:
        priority = requests.read_form(PriorityRequest).priority
        actions.set_priority(conn, actor(), lookups.find_run(conn, run_id).id, priority)

    return perform(set_of_run, then=to(".index"), page=_page)


def _page(refused: str) -> str:
    context = _context(ListQuery()) | {"refused": refused, "given": request.form}
    return render_template("queue/index.html", **context)


def _context(query: ListQuery) -> dict[str, Any]:
    filter_ = Filter("queue.index", ROWS, query.page)
    with pool().connection() as conn:
        use_snapshot(conn)
        unfinished = runs.list_unfinished(conn, scope(), filter_.limit, filter_.offset)
        return {
            "queue": store.read_queue(conn),
            "counts": count_unfinished(conn, scope()),
            "runs": filter_.take(unfinished),
            "filter": filter_,
            "priorities": list(PRIORITIES),
            "refused": None,
            "given": {},
        }
