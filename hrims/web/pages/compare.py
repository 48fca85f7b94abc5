"""The page that compares two runs of an institution."""

from typing import Any

from flask import render_template

from hrims.db import Connection
from hrims.errors import InputError
from hrims.institutions import store as institution_store
from hrims.runs.compare import store
from hrims.runs.compare.store import Side
from hrims.web.core import requests
from hrims.web.core.app_state import pool
from hrims.web.core.comparison import compare
from hrims.web.core.guard import scope
from hrims.web.core.queries import CompareChoiceQuery, CompareQuery

ROWS = 25
"""Rows of a table that the page shows."""

MAX_RUNS = 100
"""Runs of an institution to choose from."""


def index(query: CompareChoiceQuery) -> Any:
    """Show the page: runs to choose from, and two of them side by side once they are chosen."""
    if query.a is None or query.b is None:
        return render_template("compare/index.html", **_choice_context(query), **_empty_context())
    try:
        comparison = compare("compare.index", requests.read_query(CompareQuery), ROWS)
    except InputError as error:
        context = {**_choice_context(query), **_empty_context(), "refused": str(error)}
        return render_template("compare/index.html", **context), error.status
    return render_template("compare/index.html", **_choice_context(query, comparison["a"]), **comparison)


def _empty_context() -> dict[str, Any]:
    return {"a": None, "b": None, "counts": None, "refused": None}


def _choice_context(query: CompareChoiceQuery, side: Side | None = None) -> dict[str, Any]:
    """Return the choices: the register, and the runs of the chosen institution."""
    with pool().connection() as conn:
        institutions = institution_store.list_institutions(conn, scope())
        wanted = side.institution_id if side else _find_institution_id(conn, query)
        chosen = next((item for item in institutions if item.id == wanted), None)
        runs = store.list_sides(conn, chosen.id, MAX_RUNS) if chosen else []
    return {
        "institutions": institutions,
        "chosen": chosen,
        "runs": runs,
        "selected": _select_runs(query, [run.id for run in runs]),
    }


def _select_runs(query: CompareChoiceQuery, runs: list[int]) -> tuple[int | None, int | None]:
    """Return the two preselected runs: the requested ones, else the latest and the one before it."""
    b = query.b or next((run for run in runs if run != query.a), None)
    before = runs[runs.index(b) + 1 :] if b in runs else runs
    return query.a or next(iter(before), None), b


def _find_institution_id(conn: Connection, query: CompareChoiceQuery) -> int | None:
    run_id = query.a or query.b
    if query.institution or not run_id:
        return query.institution
    side = store.find_side(conn, scope(), run_id)
    return side.institution_id if side else None
