"""The screen on which people are found, looked at and asked for one by one: page, search, a person, buttons.

Names and numbers travel in bodies and never in addresses, which stand in logs and histories.
"""

from typing import Any

from flask import Blueprint, render_template, request

from hrims.errors import InputError, NotFound
from hrims.jobs.ask_person import ask_person
from hrims.numbers import whole
from hrims.people import store
from hrims.web import guard
from hrims.web.api import find
from hrims.web.fetch_data import card, to_card
from hrims.web.parts import pool

blueprint = Blueprint("people", __name__, url_prefix="/dashboard/admin/people")

MOST_FOUND = 50
"""People that a search shows."""

MOST_HISTORY = 200
"""Entries of a person's history that the page shows."""


@blueprint.get("")
def index() -> str:
    """The page; with ``?run=``, the run that asks HRIMS for one person."""
    return render_template("people/index.html", **_context(run_id=request.args.get("run")))


@blueprint.post("")
@guard.looks
def search() -> str:
    """Whom the words in the form find. Not answered by 303: its address would hold a person's name."""
    return render_template("people/index.html", **_context(words=request.form.get("words", "")))


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
    *, run_id: str | None = None, words: str | None = None, refused: str | None = None
) -> dict[str, Any]:
    """What the page shows: whom the words find, or the run that asks for one person."""
    with pool().connection() as conn:
        run = find(conn, run_id) if run_id else None
        if run and run.kind != "person":
            raise NotFound("This run is not one that asks for one person.", "unknown_job")
        found = store.search(conn, words, MOST_FOUND + 1) if words else []
        return {
            "words": words,
            "found": found[:MOST_FOUND],
            "more": len(found) > MOST_FOUND,
            "refused": refused,
            **card(conn, run),
        }
