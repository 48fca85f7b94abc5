"""The screen of the queue: which runs are under way, when the others start and why they wait; for
administrators the buttons that pause it and set how many start a minute.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for

from hrims.db import Connection, one_moment
from hrims.errors import InputError, InvalidInput
from hrims.follow import store as runs
from hrims.jobs.starts import decide, store
from hrims.jobs.starts.priorities import PRIORITIES
from hrims.jobs.store import runs_under_way
from hrims.numbers import whole
from hrims.web import guard
from hrims.web.api import find
from hrims.web.filters import Filter
from hrims.web.guard import actor
from hrims.web.parts import pool

blueprint = Blueprint("queue", __name__, url_prefix="/dashboard/admin/queue")

ROWS = 25
"""Runs that the page shows at a time."""

KINDS = ("all",)


@blueprint.get("")
def index() -> str:
    """The page."""
    return render_template("queue/index.html", **_context())


@blueprint.get("/runs")
def under_way() -> str:
    """A fragment: the runs under way."""
    return render_template("queue/_runs.html", **_context())


@blueprint.post("/pause")
def pause() -> Any:
    """A button: nothing starts from now on."""
    guard.administrators_only()
    return _act(lambda conn: decide.pause(conn, actor(), request.form.get("why")))


@blueprint.post("/resume")
def resume() -> Any:
    """A button: runs start again."""
    guard.administrators_only()
    return _act(lambda conn: decide.go_on(conn, actor()))


@blueprint.post("/limit")
def limit() -> Any:
    """A button: so many runs start a minute; an empty field leaves it to the environment."""
    guard.administrators_only()
    return _act(lambda conn: decide.limit(conn, actor(), _number(request.form.get("starts", ""))))


@blueprint.post("/runs/<run_id>/priority")
def priority(run_id: str) -> Any:
    """A button: makes a run that waits more or less urgent."""

    def deed(conn: Connection) -> None:
        decide.prioritise(conn, actor(), find(conn, run_id).id, request.form.get("priority"))

    return _act(deed)


def _number(given: str) -> int | None:
    if not given.strip():
        return None
    number = whole(given.strip())
    if not number:
        raise InvalidInput(
            f"Give a whole number from 1 to {decide.MOST_STARTS:,}. Nothing was changed.", "bad_limit"
        )
    return number


def _act(deed: Callable[[Connection], None]) -> Any:
    try:
        with pool().connection() as conn:
            deed(conn)
    except InputError as refused:
        given = {"refused": str(refused), "given": request.form}
        return render_template("queue/index.html", **(_context() | given)), refused.status
    return redirect(url_for(".index"), code=HTTPStatus.SEE_OTHER)


def _context() -> dict[str, Any]:
    filter_ = Filter.read("queue.index", request.args, KINDS, ROWS)
    with pool().connection() as conn:
        one_moment(conn)
        found = runs.under_way(conn, filter_.most, filter_.skip)
        return {
            "queue": store.read(conn),
            "counts": runs_under_way(conn),
            "runs": found[: filter_.size],
            "more": len(found) > filter_.size,
            "filter": filter_,
            "priorities": list(PRIORITIES),
            "refused": None,
            "given": {},
        }
