"""The page that compares two runs of an institution."""

from collections.abc import Mapping
from typing import Any

from flask import render_template, request

from hrims.errors import InputError
from hrims.institutions import store as institution_store
from hrims.numbers import whole
from hrims.runs.compare import store
from hrims.runs.compare.store import Side
from hrims.web.core.app_state import pool
from hrims.web.core.comparison import compare

ROWS = 25
"""Rows of a table that the page shows."""

MAX_RUNS = 100
"""Runs of an institution to choose from."""


def index() -> Any:
    """Show the page: runs to choose from, and two of them side by side once they are chosen."""
    args = request.args
    if not args.get("a") or not args.get("b"):
        return render_template("compare/index.html", **_choice_context(args), **_empty_context())
    try:
        comparison = compare("compare.index", args, ROWS)
    except InputError as error:
        context = {**_choice_context(args), **_empty_context(), "refused": str(error)}
        return render_template("compare/index.html", **context), error.status
    return render_template("compare/index.html", **_choice_context(args, comparison["a"]), **comparison)


def _empty_context() -> dict[str, Any]:
    return {"a": None, "b": None, "counts": None, "refused": None}


def _choice_context(args: Mapping[str, str], side: Side | None = None) -> dict[str, Any]:
    """Return the choices: the register, and the runs of the chosen institution."""
    with pool().connection() as conn:
        institutions = institution_store.list_institutions(conn)
        wanted = str(side.institution_id) if side else _institution_of(conn, args)
        chosen = next((item for item in institutions if str(item.id) == wanted), None)
        runs = store.list_sides(conn, chosen.id, MAX_RUNS) if chosen else []
    return {
        "institutions": institutions,
        "chosen": chosen,
        "runs": runs,
        "selected": _selected_runs(args, [str(run.id) for run in runs]),
    }


def _selected_runs(args: Mapping[str, str], runs: list[str]) -> tuple[str, str]:
    """Return the two preselected runs: the requested ones, else the latest and the one before it."""
    b = args.get("b") or next((run for run in runs if run != args.get("a")), "")
    before = runs[runs.index(b) + 1 :] if b in runs else runs
    return args.get("a") or next(iter(before), ""), b


def _institution_of(conn: Any, args: Mapping[str, str]) -> str:
    if args.get("institution"):
        return args["institution"]
    run = args.get("a") or args.get("b") or ""
    number = whole(run)
    side = store.find_side(conn, number) if number else None
    return str(side.institution_id) if side else ""
