"""The page that finds, shows and reveals people and fetches them one by one: search, a person, buttons.

Names and numbers are sent in bodies, never in URLs, which appear in logs and browser histories.
"""

from http import HTTPStatus
from typing import Any

import psycopg
from flask import redirect, render_template, url_for

from hrims.db import Connection
from hrims.errors import InputError, NotFound
from hrims.jobs.enqueue_person import enqueue_person
from hrims.numbers import whole
from hrims.people import actions, searches, store
from hrims.queries import ListQuery
from hrims.web.core import guard, lookups, requests
from hrims.web.core.app_state import pool
from hrims.web.core.bodies import PersonRequest, RevealRequest
from hrims.web.core.forms import SearchForm
from hrims.web.core.paging import Filter
from hrims.web.core.queries import PersonRunQuery
from hrims.web.pages.fetch_data import card, to_card

NOT_KEPT = (
    "The results of this search have expired: they are kept for "
    f"{searches.MINUTES} minutes, and for the user who searched. Search again."
)

MAX_FOUND = 500
"""Maximum number of people that a search finds."""

ROWS = 50
"""People on one page of the results."""

MAX_HISTORY = 200
"""Entries of a person's history that the page shows."""


def index(query: PersonRunQuery) -> str:
    """Show the page; with ``?run=`` also the run that fetches one person."""
    return render_template("people/index.html", **_context(run_id=query.run))


def search() -> Any:
    """Save the search terms and redirect to the results. The URL names the search by a token.

    While the database is read-only nothing is saved: the response shows the first page of the results.
    """
    try:
        words = requests.read_form(SearchForm).words
        with pool().connection() as conn:
            if words:
                actions.record_search(conn, guard.actor(), ["words"])
            token = searches.save_search(conn, guard.actor().name, words)
    except psycopg.errors.ReadOnlySqlTransaction:
        return _results(words, Filter(".index", MAX_FOUND))
    except InputError as refused:
        return render_template("people/index.html", **_context(refused=str(refused))), refused.status
    url = url_for(".show_results", token=token, _anchor="found-people") if token else url_for(".index")
    return redirect(url, code=HTTPStatus.SEE_OTHER)


def show_results(token: str, query: ListQuery) -> Any:
    """Show a page of the results of a search. Show only the form if this user has no such search."""
    with pool().connection() as conn:
        words = searches.find_text(conn, guard.actor().name, token)
    if words is None:
        return render_template("people/index.html", **_context(refused=NOT_KEPT)), HTTPStatus.NOT_FOUND
    return _results(words, Filter(".show_results", ROWS, query.page, params={"token": token}))


def _results(words: str, filter_: Filter) -> Any:
    try:
        context = _context(words=words, shown=filter_)
    except InputError as refused:
        context = {**_context(refused=str(refused)), "words": words}
        return render_template("people/index.html", **context), refused.status
    return render_template("people/index.html", **context)


def fetch() -> Any:
    """Handle a button: request one person from HRIMS by the number in the form."""
    try:
        with pool().connection() as conn:
            result = enqueue_person(conn, guard.actor(), requests.read_form(PersonRequest).key)
    except InputError as refused:
        return render_template("people/index.html", **_context(refused=str(refused))), refused.status
    return to_card(".index", run=result.run_id)


def show(employee_id: str) -> str:
    """Show a person: the record, the lists that contain it, and the history."""
    return _person_page(_view_person(employee_id))


def reveal(employee_id: str) -> Any:
    """Handle a button: show the person once without masks, after the reason is recorded."""
    person = _view_person(employee_id)
    try:
        reason = requests.read_form(RevealRequest).reason
        with pool().connection() as conn:
            revealed = actions.reveal(conn, guard.actor(), person["id"], reason)
    except InputError as refused:
        return _person_page(person, refused=str(refused)), refused.status
    return _person_page(person, revealed)


def _person_page(
    person: dict[str, Any], revealed: dict[str, Any] | None = None, refused: str | None = None
) -> str:
    """Return the page of a person. Only the record of a ``revealed`` person has no masks."""
    mask = guard.mask()
    with pool().connection() as conn:
        listings = store.list_listings(conn, person["id"])
        history = store.list_history(conn, guard.scope(), person["id"], mask, MAX_HISTORY + 1)
    return render_template(
        "people/person.html",
        person=revealed or mask.row(person),
        facts=store.list_facts(revealed or mask.row(person)),
        is_masked=revealed is None and bool(mask.hidden),
        is_revealed=revealed is not None,
        refused=refused,
        listings=listings,
        history=history,
        limit=MAX_HISTORY,
    )


def refetch(employee_id: str) -> Any:
    """Handle a button: request this person from HRIMS."""
    with pool().connection() as conn:
        result = enqueue_person(conn, guard.actor(), _find_person(conn, employee_id)["zan_id"])
    return to_card(".index", run=result.run_id)


def _view_person(employee_id: str) -> dict[str, Any]:
    """Return a person to show, and record who sees it."""
    with pool().connection() as conn:
        person = _find_person(conn, employee_id)
        actions.record_view(conn, guard.actor(), person["id"])
    return person


def _find_person(conn: Connection, employee_id: str) -> dict[str, Any]:
    return actions.find_person(conn, guard.actor(), whole(employee_id) or 0)


def _context(
    *,
    run_id: int | None = None,
    words: str | None = None,
    shown: Filter | None = None,
    refused: str | None = None,
) -> dict[str, Any]:
    """Return what the page shows: the results of the search terms, or the run that fetches one person."""
    with pool().connection() as conn:
        run = lookups.find_run(conn, str(run_id)) if run_id is not None else None
        if run and run.kind != "person":
            raise NotFound("This run does not fetch one person.", "unknown_job")
        # The same limit for every page: the order of the results depends on the limit.
        people = _find_people(conn, words) if words else []
        return {
            "words": words,
            "filter": shown,
            "found": shown.take(guard.mask().rows(people[shown.offset : MAX_FOUND])) if shown else [],
            "total": min(len(people), MAX_FOUND),
            "too_many": len(people) > MAX_FOUND,
            "refused": refused,
            **card(conn, run),
        }


def _find_people(conn: Connection, words: str) -> list[dict[str, Any]]:
    """Return the people that match. A user who sees no names must give a whole one, or a number."""
    is_exact = guard.mask().hides("name")
    return store.search(conn, guard.scope(), words, MAX_FOUND + 1, is_exact=is_exact)
