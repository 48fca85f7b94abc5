"""The screen of one run, whichever it is, at the address to which lists, histories and messages lead."""

from flask import Blueprint, render_template

from hrims.web.api import find
from hrims.web.fetch_data import card
from hrims.web.parts import pool

blueprint = Blueprint("run", __name__, url_prefix="/dashboard/admin/runs")


@blueprint.get("/<run_id>")
def index(run_id: str) -> str:
    """The page."""
    with pool().connection() as conn:
        return render_template("run/index.html", **card(conn, find(conn, run_id)))
