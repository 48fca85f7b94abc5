"""The page of all runs, newest first, filtered by institution and by how they ended."""

from http import HTTPStatus
from typing import Any

from flask import make_response, render_template

from hrims.db import use_snapshot
from hrims.runs import store
from hrims.web.core import lookups
from hrims.web.core.app_state import pool
from hrims.web.core.guard import scope
from hrims.web.core.paging import Filter
from hrims.web.core.queries import RunsQuery
from hrims.web.pages.fetch_data import STOP_POLLING

ROWS = 25
"""Runs that the page shows at a time."""


def index(query: RunsQuery) -> str:
    """Show the page."""
    return render_template("runs/index.html", **_context(query))


def show_list(query: RunsQuery) -> Any:
    """Show a fragment: the runs. Status 286 when all of them have ended, which stops the polling."""
    context = _context(query)
    part = render_template("runs/_list.html", **context)
    return make_response(part, STOP_POLLING if all(run.ended for run in context["runs"]) else HTTPStatus.OK)


def _context(query: RunsQuery) -> dict[str, Any]:
    id_ = query.institution
    filter_ = Filter("runs.index", ROWS, query.page, query.kind, {"institution": id_})
    with pool().connection() as conn:
        use_snapshot(conn)
        institution = lookups.find_institution(conn, str(id_)) if id_ is not None else None
        runs = store.list_ended(
            conn,
            scope(),
            institution.id if institution else None,
            filter_.kind,
            filter_.limit,
            filter_.offset,
        )
    return {
        "institution": institution,
        "runs": filter_.take(runs),
        "filter": filter_,
        "kinds": list(store.ENDED),
    }
