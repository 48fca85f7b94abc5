"""The screen of one run, whichever it is, at the address to which lists, histories and messages lead: its
card, and every attempt at it.
"""

from http import HTTPStatus
from typing import Any

from flask import Blueprint, make_response, render_template

from hrims.db import Connection
from hrims.follow import store
from hrims.follow.progress import Run
from hrims.web.api import find
from hrims.web.fetch_data import STOP_POLLING, card
from hrims.web.parts import pool

blueprint = Blueprint("run", __name__, url_prefix="/dashboard/admin/runs")

MOST_ATTEMPTS = 50
"""Attempts that the page shows."""


@blueprint.get("/<run_id>")
def index(run_id: str) -> str:
    """The page."""
    with pool().connection() as conn:
        run = find(conn, run_id)
        return render_template("run/index.html", **card(conn, run), **_attempts(conn, run))


@blueprint.get("/<run_id>/attempts")
def attempts(run_id: str) -> Any:
    """A fragment: the attempts; status 286 once the run has ended, which ends the polling."""
    with pool().connection() as conn:
        run = find(conn, run_id)
        part = render_template("run/_attempts.html", run=run, **_attempts(conn, run))
    return make_response(part, STOP_POLLING if run.ended else HTTPStatus.OK)


def _attempts(conn: Connection, run: Run) -> dict[str, Any]:
    return {"attempts": store.attempts(conn, run.id, MOST_ATTEMPTS)}
