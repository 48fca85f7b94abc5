"""The screen on which people are found, looked at and asked for one by one: page, search, a person, buttons.

Names and numbers travel in bodies and never in addresses, which stand in logs and histories.
"""

from http import HTTPStatus
from typing import Any

import psycopg
from flask import Blueprint, redirect, render_template, request, url_for

from hrims.errors import InputError, NotFound
from hrims.jobs.ask_person import ask_person
from hrims.numbers import whole
from hrims.people import searches, store
from hrims.web import guard
from hrims.web.api import find
from hrims.web.fetch_data import card, to_card
from hrims.web.filters import Filter
from hrims.web.parts import pool

NOT_KEPT = (
    "The results of this search are not here any more: they are kept for "
    f"{searches.MINUTES} minutes, and for the user who searched. Search again."
)

blueprint = Blueprint("people", __name__, url_prefix="/dashboard/admin/people")

MOST_FOUND = 500
"""People that a search finds at most."""

ROWS = 50
"""People that a page of the results shows."""

MOST_HISTORY = 200
"""Entries of a person's history that the page shows."""


@blueprint.get("")
def index() -> str:
    """The page; with ``?run=``, the run that asks HRIMS for one person."""
    return render_template("people/index.html", **_context(run_id=request.args.get("run")))


@blueprint.post("")
@guard.looks
def search() -> Any:
    """Keep the words of the form, and redirect to what they find; the address names the search by a token.

    While the database is read-only nothing is kept: the answer shows the first page of the results.
    """
    words = request.form.get("words", "")
    try:
        with pool().connection() as conn:
            token = searches.keep(conn, guard.actor().name, words)
    except psycopg.errors.ReadOnlySqlTransaction:
        return _results(words, Filter.read(".index", {}, ["all"], MOST_FOUND))
    except InputError as refused:
        return render_template("people/index.html", **_context(refused=str(refused))), refused.status
    there = url_for(".found", token=token, _anchor="found-people") if token else url_for(".index")
    return redirect(there, code=HTTPStatus.SEE_OTHER)


@blueprint.get("/searches/<token>")
def found(token: str) -> Any:
    """Show a page of what a search finds; the form alone if the search is not kept for this user."""
    with pool().connection() as conn:
        words = searches.words_of(conn, guard.actor().name, token)
    if words is None:
        return render_template("people/index.html", **_context(refused=NOT_KEPT)), HTTPStatus.NOT_FOUND
    return _results(words, Filter.read(".found", request.args, ["all"], ROWS, token=token))


def _results(words: str, shown: Filter) -> Any:
    try:
        context = _context(words=words, shown=shown)
    except InputError as refused:
        context = {**_context(refused=str(refused)), "words": words}
        return render_template("people/index.html", **context), refused.status
    return render_template("people/index.html", **context)


@blueprint.post("/fetch")
def fetch() -> Any:
    """A button: asks HRIMS for one person by the number in the form."""
    try:
        with pool().connection() as conn:
            asked = ask_person(conn, guard.actor(), request.form.get("key"))
    except InputError as refused:
        return render_template("people/index.html", **_context(refused=str(refused))), refused.status
    return to_card(".index", run=asked.run_id)


@blueprint.get("/<employee_id>")
def person(employee_id: str) -> str:
    """A person: what is kept of them, whose lists have them, and what ever happened."""
    with pool().connection() as conn:
        found = _found(conn, employee_id)
        return render_template(
            "people/person.html",
            person=found,
            facts=store.facts(found),
            listings=store.listings(conn, found["id"]),
            history=store.history(conn, found["id"], MOST_HISTORY + 1),
            most=MOST_HISTORY,
        )


@blueprint.post("/<employee_id>/fetch")
def fetch_again(employee_id: str) -> Any:
    """A button: asks HRIMS for this person."""
    with pool().connection() as conn:
        asked = ask_person(conn, guard.actor(), _found(conn, employee_id)["zan_id"])
    return to_card(".index", run=asked.run_id)


def _found(conn: Any, employee_id: str) -> dict[str, Any]:
    number = whole(employee_id)
    found = store.person(conn, number) if number else None
    if not found:
        raise NotFound("There is nobody with this number here.", "unknown_person")
    return found


def _context(
    *,
    run_id: str | None = None,
    words: str | None = None,
    shown: Filter | None = None,
    refused: str | None = None,
) -> dict[str, Any]:
    """Return what the page shows: what the words find, or the run that asks for one person."""
    with pool().connection() as conn:
        run = find(conn, run_id) if run_id else None
        if run and run.kind != "person":
            raise NotFound("This run is not one that asks for one person.", "unknown_job")
        # Always as many, whichever page is shown: the order of a search depends on how many are wanted.
        found = store.search(conn, words, MOST_FOUND + 1) if words else []
        return {
            "words": words,
            "filter": shown,
            "found": found[shown.skip : shown.skip + shown.size] if shown else [],
            "total": min(len(found), MOST_FOUND),
            "more": shown is not None and len(found[:MOST_FOUND]) > shown.skip + shown.size,
            "too_many": len(found) > MOST_FOUND,
            "refused": refused,
            **card(conn, run),
        }
