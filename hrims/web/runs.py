"""The screen of all runs there were, the newest first: of everybody or of one institution, however they
ended or those alone that ended so.
"""

from http import HTTPStatus
from typing import Any

from flask import Blueprint, make_response, render_template, request

from hrims.db import one_moment
from hrims.follow import store
from hrims.web.care import find
from hrims.web.fetch_data import STOP_POLLING
from hrims.web.filters import Filter
from hrims.web.parts import pool

blueprint = Blueprint("runs", __name__, url_prefix="/dashboard/admin/runs")

ROWS = 25
"""Runs that the page shows at a time."""


@blueprint.get("")
def index() -> str:
    """The page."""
    return render_template("runs/index.html", **_context())


@blueprint.get("/list")
def listed() -> Any:
    """A fragment: the runs; status 286 once none of them is under way, which ends the polling."""
    shown = _context()
    part = render_template("runs/_list.html", **shown)
    return make_response(part, STOP_POLLING if all(run.ended for run in shown["runs"]) else HTTPStatus.OK)


def _context() -> dict[str, Any]:
    given = request.args.get("institution")
    filter_ = Filter.read(
        "runs.index", request.args, list(store.ENDED), ROWS, **({"institution": given} if given else {})
    )
    with pool().connection() as conn:
        one_moment(conn)
        institution = find(conn, given) if given else None
        found = store.listed(
            conn, institution.id if institution else None, filter_.kind, filter_.most, filter_.skip
        )
    return {
        "institution": institution,
        "runs": found[: filter_.size],
        "more": len(found) > filter_.size,
        "filter": filter_,
        "kinds": list(store.ENDED),
    }
