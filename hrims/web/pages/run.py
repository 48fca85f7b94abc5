"""The page of one run, of any kind: its card, and every attempt at it.

Lists, histories and messages link to it.
"""

from http import HTTPStatus
from typing import Any

from flask import make_response, render_template

from hrims.db import Connection
from hrims.runs import store
from hrims.runs.model import Run
from hrims.web.core import lookups
from hrims.web.core.app_state import pool
from hrims.web.pages.fetch_data import STOP_POLLING, card

MAX_ATTEMPTS = 50
"""Attempts that the page shows."""


def show(run_id: str) -> str:
    """Show the page."""
    with pool().connection() as conn:
        run = lookups.find_run(conn, run_id)
        return render_template("run/index.html", **card(conn, run), **_attempts(conn, run))


def show_attempts(run_id: str) -> Any:
    """Show a fragment: the attempts. Status 286 when the run has ended, which stops the polling."""
    with pool().connection() as conn:
        run = lookups.find_run(conn, run_id)
        part = render_template("run/_attempts.html", run=run, **_attempts(conn, run))
    return make_response(part, STOP_POLLING if run.ended else HTTPStatus.OK)


def _attempts(conn: Connection, run: Run) -> dict[str, Any]:
    return {"attempts": store.list_attempts(conn, run.id, MAX_ATTEMPTS)}
