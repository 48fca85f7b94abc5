"""The screen that compares two runs of an institution, and the same for machines."""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, render_template, request

from hrims.compare import store
from hrims.compare.pair import pair
from hrims.compare.store import Counts, Side
from hrims.db import one_moment
from hrims.errors import InputError
from hrims.numbers import whole
from hrims.register import store as register
from hrims.web.filters import Filter
from hrims.web.parts import pool

blueprint = Blueprint("compare", __name__)

KINDS = Counts._fields

ROWS, API_ROWS = 25, 100
"""Rows of a table that the page shows, and that one answer of the API holds."""

MOST_RUNS = 100
"""Runs of an institution to choose from."""


@blueprint.get("/dashboard/admin/compare")
def index() -> Any:
    """The page: runs to choose from, and two of them side by side once they are chosen."""
    args = request.args
    if not args.get("a") or not args.get("b"):
        return render_template("compare/index.html", **_choice(args), **_nothing())
    try:
        shown = _compare("compare.index", args, ROWS)
    except InputError as refused:
        context = {**_choice(args), **_nothing(), "refused": str(refused)}
        return render_template("compare/index.html", **context), refused.status
    return render_template("compare/index.html", **_choice(args, shown["a"]), **shown)


@blueprint.get("/api/hrims/compare")
def api() -> dict[str, Any]:
    """Two runs for machines: counts, and with ``?kind=`` rows, by ``&page=``."""
    shown = _compare("compare.api", request.args, API_ROWS)
    answer = {
        "success": True,
        "institutionName": shown["a"].institution,
        "a": _side(shown["a"]),
        "b": _side(shown["b"]),
        "counts": shown["counts"],
    }
    if "kind" not in request.args:
        return answer
    filter_ = shown["filter"]
    following = filter_.of_page(filter_.page + 1) if shown["more"] else None
    return answer | {"kind": filter_.kind, "page": filter_.page, "rows": shown["rows"], "next": following}


def _compare(endpoint: str, args: Mapping[str, str], size: int) -> dict[str, Any]:
    """The two runs, how they differ, and the rows of the page that is asked for, all of one moment."""
    with pool().connection() as conn:
        one_moment(conn)
        a, b = pair(conn, args.get("a"), args.get("b"))
        filter_ = Filter.read(endpoint, args, KINDS, size, a=a.id, b=b.id)
        counts = store.counts(conn, a.id, b.id)
        rows = store.entries(conn, a.id, b.id, filter_.kind, filter_.most, filter_.skip)
    return {
        "a": a,
        "b": b,
        "counts": counts._asdict(),
        "filter": filter_,
        "rows": rows[:size],
        "more": len(rows) > size,
        "kinds": KINDS,
        "refused": None,
    }


def _nothing() -> dict[str, Any]:
    return {"a": None, "b": None, "counts": None, "refused": None}


def _choice(args: Mapping[str, str], chosen: Side | None = None) -> dict[str, Any]:
    """What there is to choose from: the register, and the runs of the institution that is chosen."""
    with pool().connection() as conn:
        institutions = register.institutions(conn)
        wanted = str(chosen.institution_id) if chosen else _institution_of(conn, args)
        here = next((one for one in institutions if str(one.id) == wanted), None)
        runs = store.sides(conn, here.id, MOST_RUNS) if here else []
    return {
        "institutions": institutions,
        "here": here,
        "runs": runs,
        "wanted": _wanted(args, [str(one.id) for one in runs]),
    }


def _wanted(args: Mapping[str, str], runs: list[str]) -> tuple[str, str]:
    """The two runs that the picker shows: those asked for, else the latest and the one before it."""
    b = args.get("b") or next((one for one in runs if one != args.get("a")), "")
    before = runs[runs.index(b) + 1 :] if b in runs else runs
    return args.get("a") or next(iter(before), ""), b


def _institution_of(conn: Any, args: Mapping[str, str]) -> str:
    if args.get("institution"):
        return args["institution"]
    run = next((one for one in (args.get("a"), args.get("b")) if one), "")
    number = whole(run)
    found = store.side(conn, number) if number else None
    return str(found.institution_id) if found else ""


def _side(side: Side) -> dict[str, Any]:
    return {
        "jobId": str(side.id),
        "state": side.state,
        "outcome": side.outcome,
        "people": side.people,
        "finishedAt": side.finished_at.isoformat(timespec="milliseconds") if side.finished_at else None,
    }
